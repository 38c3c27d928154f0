// Devices that answer what llama.cpp asks while it plans, and that hold and compute nothing.
#pragma once
#include "ggml-backend.h"

#include <cstddef>

// An Apple GPU, "MTL0".
ggml_backend_reg_t imitated_metal();
// Apple's Accelerate, which llama.cpp puts between the GPU and the CPU on Macs.
ggml_backend_reg_t imitated_blas();
// Buffers of the host from now on only reserve addresses, too.
void imitate_host_buffers();

// Whether a struct of this tree has a field: what other versions call differently, or do not have.
template <class T, class F> auto set_if_there(T & of, F set, int) -> decltype(set(of), void()) { set(of); }
template <class T, class F> void set_if_there(T &, F, long) {}
#define SET_IF_THERE(of, field, value) \
    set_if_there(of, [&](auto & it) -> decltype((void) (it.field = value)) { it.field = value; }, 0)
