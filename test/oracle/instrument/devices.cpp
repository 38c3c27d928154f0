// What they decide (which ops they support, what an op needs beside its result, what may be fused and how nodes are ordered)
// is the tree's own code: compiled as it is, or cut out of it by build.sh.
#include "devices.h"

#include "ggml-impl.h"
#include "ggml-backend-impl.h"
#include "ggml-metal-impl.h"
#include "ggml-metal-common.h"
#include "ggml-metal-device.h"
#include "ggml-metal-ops.h"

#include <sys/mman.h>

#include <cstring>

#if __has_include("ggml-metal-fusion.h")
#include "ggml-metal-fusion.h"
#define FUSES_BY_TABLE
extern "C" ggml_metal_buffer_id ggml_metal_buffer_get_id(ggml_metal_buffer_t, const ggml_tensor *) {
    GGML_ABORT("nothing is encoded here");
}
#endif

// A Mac with 64 GiB: what its GPU may wire, and its largest buffer.
static const size_t WORKING_SET = size_t(48) << 30;
static const size_t LARGEST_BUFFER = size_t(36) << 30;
// Host weights of so many rows are brought to the GPU: GGML_OP_OFFLOAD_MIN_BATCH.
static const int OFFLOADED_ROWS = 32;

struct ggml_metal_device {
    ggml_metal_device_props props;
};
static ggml_metal_device gpu;

#include "decisions.inc"

// ---- buffers ---------------------------------------------------------------------------------------------------------

static const size_t PAGE = 16384;

static void * reserve(size_t size) {
    void * at = mmap(nullptr, GGML_PAD(size, PAGE) + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : at;
}
static void give_back(ggml_backend_buffer_t b) { munmap(b->context, GGML_PAD(b->size, PAGE) + PAGE); }
static void leave_uncleared(ggml_backend_buffer_t, uint8_t) {}

static ggml_backend_buffer_i gpu_buffer() {
    ggml_backend_buffer_i i = {};
    i.free_buffer   = give_back;
    i.get_base      = [](ggml_backend_buffer_t b) { return b->context; };
    i.memset_tensor = [](ggml_backend_buffer_t, ggml_tensor *, uint8_t, size_t, size_t) {};
    i.set_tensor    = [](ggml_backend_buffer_t, ggml_tensor *, const void *, size_t, size_t) {};
    i.get_tensor    = [](ggml_backend_buffer_t, const ggml_tensor *, void * to, size_t, size_t size) { memset(to, 0, size); };
    i.cpy_tensor    = [](ggml_backend_buffer_t, const ggml_tensor *, ggml_tensor *) { return false; };
    i.clear         = leave_uncleared;
    return i;
}

void imitate_host_buffers() {
    ggml_backend_cpu_buffer_type()->iface.alloc_buffer = [](ggml_backend_buffer_type_t type, size_t size) -> ggml_backend_buffer_t {
        void * at = reserve(size);
        if (at == nullptr) return nullptr;
        ggml_backend_buffer_t buffer = ggml_backend_cpu_buffer_from_ptr(at, size);
        buffer->buft              = type;
        buffer->iface.free_buffer = give_back;
        buffer->iface.clear       = leave_uncleared;
        return buffer;
    };
}

// ---- devices ---------------------------------------------------------------------------------------------------------

struct imitation {
    const char * name;
    enum ggml_backend_dev_type type;
    ggml_backend_device device;
    ggml_backend_buffer_type buffers;
    ggml_guid guid;
    ggml_backend_reg registry;
};
static imitation metal = { "MTL0", GGML_BACKEND_DEVICE_TYPE_GPU };
static imitation blas = { "BLAS", GGML_BACKEND_DEVICE_TYPE_ACCEL };

static imitation & of(ggml_backend_dev_t device) { return *(imitation *) device->context; }

// What a fused kernel reads stays allocated, where the tree has that; then nodes are reordered.
template <class Params> static void optimize_with(ggml_backend_t, ggml_cgraph * graph, Params * params) {
#ifdef FUSES_BY_TABLE
    ggml_metal_fusion_add_alloc_deps(params->user_data, params->add_alloc_dep, graph);
#endif
    ggml_graph_optimize(graph);
}
static void optimize_alone(ggml_backend_t, ggml_cgraph * graph) { ggml_graph_optimize(graph); }

template <class Params> static void set_optimize(void (*& slot)(ggml_backend_t, ggml_cgraph *, Params *)) { slot = optimize_with<Params>; }
static void set_optimize(void (*& slot)(ggml_backend_t, ggml_cgraph *)) { slot = optimize_alone; }

static ggml_backend_t start(ggml_backend_dev_t device, const char *) {
    ggml_backend_i i = {};
    i.get_name      = [](ggml_backend_t backend) { return of(backend->device).name; };
    i.free          = [](ggml_backend_t backend) { delete backend; };
    i.synchronize   = [](ggml_backend_t) {};
    i.graph_compute = [](ggml_backend_t, ggml_cgraph *) -> ggml_status { GGML_ABORT("nothing is computed here"); };
    if (&of(device) == &metal) set_optimize(i.graph_optimize);
    return new ggml_backend { &of(device).guid, i, device, nullptr };
}

static void tell_memory(ggml_backend_dev_t device, size_t * free, size_t * total) {
    *free = *total = &of(device) == &metal ? WORKING_SET : 0;
}

static void tell_properties(ggml_backend_dev_t device, ggml_backend_dev_props * props) {
    props->name = props->description = of(device).name;
    props->type = of(device).type;
    tell_memory(device, &props->memory_free, &props->memory_total);
    props->caps = {};
    props->caps.buffer_from_host_ptr = true;
    props->caps.async = props->caps.events = &of(device) == &metal;
    SET_IF_THERE(props->caps, mmap_support, true);
}

static bool offloads(ggml_backend_dev_t, const ggml_tensor * op) { // ggml_backend_metal_device_offload_op
    if (op->op == GGML_OP_MUL_MAT) return op->ne[1] >= OFFLOADED_ROWS;
    return op->op == GGML_OP_MUL_MAT_ID && op->ne[2] >= OFFLOADED_ROWS;
}

static ggml_backend_reg_t registered(imitation & it, ggml_backend_device_i device) {
    device.get_name        = [](ggml_backend_dev_t d) { return of(d).name; };
    device.get_description = device.get_name;
    device.get_memory      = tell_memory;
    device.get_type        = [](ggml_backend_dev_t d) { return of(d).type; };
    device.get_props       = tell_properties;
    device.init_backend    = start;
    it.device = { device, &it.registry, &it };
    memcpy(it.guid, it.name, strlen(it.name));
    it.registry = { GGML_BACKEND_API_VERSION, {}, &it };
    it.registry.iface.get_name         = [](ggml_backend_reg_t reg) { return ((imitation *) reg->context)->name; };
    it.registry.iface.get_device_count = [](ggml_backend_reg_t) -> size_t { return 1; };
    it.registry.iface.get_device       = [](ggml_backend_reg_t reg, size_t) { return &((imitation *) reg->context)->device; };
    it.registry.iface.get_proc_address = [](ggml_backend_reg_t, const char *) -> void * { return nullptr; };
    return &it.registry;
}

ggml_backend_reg_t imitated_metal() {
    ggml_metal_device_props & props = gpu.props;
    strcpy(props.name, metal.name);
    props.max_buffer_size            = LARGEST_BUFFER;
    props.max_working_set_size       = WORKING_SET;
    props.max_theadgroup_memory_size = 32768;
    props.has_simdgroup_reduction = props.has_simdgroup_mm = props.has_unified_memory = true;
    props.has_bfloat = props.use_residency_sets = props.use_shared_buffers = true;
    props.device_id = GGML_METAL_DEVICE_M4_MAX;
    props.op_offload_min_batch_size = OFFLOADED_ROWS;
    SET_IF_THERE(props, supports_gpu_family_apple7, true);
    SET_IF_THERE(props, gpu_family, 9);

    ggml_backend_buffer_type_i & buffers = metal.buffers.iface;
    buffers.get_name      = [](ggml_backend_buffer_type_t) { return "MTL0"; };
    buffers.alloc_buffer  = [](ggml_backend_buffer_type_t type, size_t size) -> ggml_backend_buffer_t {
        void * at = reserve(size);
        return at == nullptr ? nullptr : ggml_backend_buffer_init(type, gpu_buffer(), at, size);
    };
    buffers.get_alignment  = [](ggml_backend_buffer_type_t) -> size_t { return 32; };
    buffers.get_max_size   = [](ggml_backend_buffer_type_t) { return LARGEST_BUFFER; };
    buffers.get_alloc_size = ggml_backend_metal_buffer_type_get_alloc_size;
    buffers.is_host        = [](ggml_backend_buffer_type_t) { return false; };
    metal.buffers.device   = &metal.device;

    ggml_backend_device_i device = {};
    device.get_buffer_type   = [](ggml_backend_dev_t) { return &metal.buffers; };
    device.supports_op       = [](ggml_backend_dev_t, const ggml_tensor * op) { return ggml_metal_device_supports_op(&gpu, op); };
    device.supports_buft     = [](ggml_backend_dev_t, ggml_backend_buffer_type_t type) { return type == &metal.buffers; };
    device.offload_op        = offloads;
    device.event_new         = [](ggml_backend_dev_t d) { return new ggml_backend_event { d, nullptr }; };
    device.event_free        = [](ggml_backend_dev_t, ggml_backend_event_t event) { delete event; };
    device.event_synchronize = [](ggml_backend_dev_t, ggml_backend_event_t) {};
    return registered(metal, device);
}

ggml_backend_reg_t imitated_blas() {
    ggml_backend_device_i device = {};
    device.get_buffer_type      = [](ggml_backend_dev_t) { return ggml_backend_cpu_buffer_type(); };
    device.buffer_from_host_ptr = [](ggml_backend_dev_t, void * at, size_t size, size_t) { return ggml_backend_cpu_buffer_from_ptr(at, size); };
    device.supports_op          = ggml_backend_blas_device_supports_op;
    device.supports_buft        = [](ggml_backend_dev_t, ggml_backend_buffer_type_t type) { return ggml_backend_buft_is_host(type); };
    return registered(blas, device);
}
