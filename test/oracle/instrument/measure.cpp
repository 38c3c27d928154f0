// instrument MODEL.gguf < launches.jsonl : what llama.cpp allocates for each launch, one line of JSON each; see README.md
#include "devices.h"

#include "gguf.h"
#include "llama.h"
#include "llama-context.h"
#include "llama-ext.h"
#include "llama-model.h"
#include "llama-model-loader.h"
#include "nlohmann/json.hpp"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

using json = nlohmann::ordered_json;

// Which weights the CPU backend repacks depends on the processor; these calls of ggml's own libraries end here.
static bool is_arm = false;
#define PROCESSOR_HAS(feature, on_arm)                                                \
    extern "C" int ggml_cpu_has_##feature(void) {                                     \
        return is_arm ? on_arm : ((int (*)()) dlsym(RTLD_NEXT, "ggml_cpu_has_" #feature))(); \
    }
PROCESSOR_HAS(avx2, 0)
PROCESSOR_HAS(avx512, 0)
PROCESSOR_HAS(neon, 1)
PROCESSOR_HAS(dotprod, 1)
PROCESSOR_HAS(matmul_int8, 1)
PROCESSOR_HAS(sve, 0)

static std::string complaints;

struct refusal : std::runtime_error {
    explicit refusal(const std::string & fallback) : runtime_error(complaints.empty() ? fallback : complaints) {}
};

static ggml_type type_named(const std::string & name) {
    for (int type = 0; type < GGML_TYPE_COUNT; type++) {
        const char * known = ggml_type_name((ggml_type) type);
        if (known && name == known) return (ggml_type) type;
    }
    throw refusal("no cache type " + name);
}

// ---- weights ---------------------------------------------------------------------------------------------------------

using ranges = std::vector<std::pair<size_t, size_t>>;

static size_t united(ranges parts) {
    size_t sum = 0, end = 0;
    std::sort(parts.begin(), parts.end());
    for (auto & [first, last] : parts) {
        if (last > std::max(first, end)) sum += last - std::max(first, end);
        end = std::max(end, last);
    }
    return sum;
}

// Later trees map each device's tensors only, earlier ones everything between the first and the last of them.
template <class Loader> static auto maps_own_ranges(int) -> decltype(&Loader::get_mapping_ranges, true) { return true; }
template <class Loader> static bool maps_own_ranges(long) { return false; }

static void measure_weights(llama_model * model, const char * path, bool maps, json & truth) {
    ggml_context * tensors = nullptr;
    gguf_context * file = gguf_init_from_file(path, { true, &tensors });
    std::map<ggml_backend_buffer_t, std::vector<ggml_tensor *>> placed;
    for (auto & [name, tensor] : llama_internal_get_tensor_map(model)) placed[tensor->buffer].push_back((ggml_tensor *) tensor);
    ranges mapped;
    size_t copied = 0;
    for (auto & [buffer, list] : placed) {
        ggml_backend_buffer_type_t type = ggml_backend_buffer_get_type(buffer);
        ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
        if (!device) device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
        if (!maps || type != ggml_backend_dev_buffer_type(device)) {
            for (ggml_tensor * t : list) copied += GGML_PAD(ggml_backend_buft_get_alloc_size(type, t), ggml_backend_buft_get_alignment(type));
            continue;
        }
        ranges own;
        for (ggml_tensor * t : list) {
            const int64_t id = gguf_find_tensor(file, t->name);
            if (id < 0) continue;
            const size_t first = gguf_get_data_offset(file) + gguf_get_tensor_offset(file, id);
            own.push_back({ first, first + ggml_nbytes(t) });
        }
        if (own.empty()) continue;
        if (maps_own_ranges<llama_model_loader>(0)) mapped.insert(mapped.end(), own.begin(), own.end());
        else {
            size_t last = 0;
            for (auto & part : own) last = std::max(last, part.second);
            mapped.push_back({ std::min_element(own.begin(), own.end())->first, last });
        }
    }
    truth["mapped"] = united(mapped);
    truth["copied"] = copied;
    gguf_free(file);
    ggml_free(tensors);
}

// ---- one launch --------------------------------------------------------------------------------------------------------

// A flag of the model, or of its hyperparameters.
static void only_plan_weights(llama_model * model, bool value) {
    SET_IF_THERE(model->hparams, no_alloc, value);
    SET_IF_THERE(model->params, no_alloc, value);
}

static llama_model * load(const char * path, const json & launch, bool metal) {
    static std::vector<std::string> patterns;
    static std::vector<llama_model_tensor_buft_override> overrides;
    static std::vector<ggml_backend_dev_t> devices;
    if (metal) devices.push_back(ggml_backend_dev_by_name("MTL0"));
    devices.push_back(nullptr);
    llama_model_params params = llama_model_default_params();
    params.devices         = devices.data();
    params.n_gpu_layers    = metal ? launch.value("ngl", -1) : 0;
    params.use_extra_bufts = launch.value("repack", 1) != 0;
    params.no_alloc        = true;
    SET_IF_THERE(params, load_mode, decltype(it.load_mode)(0));
    SET_IF_THERE(params, use_mmap, false);
    SET_IF_THERE(params, load_mtp, false);
    const std::string experts = "\\.ffn_(up|down|gate|gate_up)_(ch|)exps";
    if (launch.value("cpu_moe", 0)) patterns.push_back(experts);
    for (int i = 0; i < launch.value("n_cpu_moe", 0); i++) patterns.push_back("blk\\." + std::to_string(i) + experts);
    for (auto & pattern : patterns) overrides.push_back({ pattern.c_str(), ggml_backend_cpu_buffer_type() });
    overrides.push_back({ nullptr, nullptr });
    if (!patterns.empty()) params.tensor_buft_overrides = overrides.data();
    llama_model * model = llama_model_load_from_file(path, params);
    if (!model) throw refusal("the model does not load");
    return model;
}

// What llama-server makes of its options before it asks for a context: tools/server/server.cpp, server_output_limits.
static llama_context_params context_params(const json & launch) {
    llama_context_params params = llama_context_default_params();
    const bool embeds = launch.value("embedding", 0);
    const bool open = !launch.contains("parallel");
    params.n_ctx      = launch.at("ctx");
    params.n_ubatch   = launch.value("ubatch", 512);
    params.n_batch    = launch.value("batch", 2048);
    if (embeds) params.n_batch = std::min(params.n_batch, params.n_ubatch);
    params.n_seq_max  = open ? 4 : launch.at("parallel").get<int>();
    params.kv_unified = open || launch.value("kv_unified", 0);
    const uint32_t outputs = embeds ? params.n_batch : std::max(1u, std::min(params.n_batch, params.n_seq_max));
    SET_IF_THERE(params, n_outputs_max, outputs);
    SET_IF_THERE(params, n_outputs_max_per_seq, 1);
    SET_IF_THERE(params, moe_cache_size, launch.value("moe_cache_mib", size_t(0)) << 20);
    params.embeddings  = embeds;
    params.swa_full    = launch.value("swa_full", 0);
    params.offload_kqv = !launch.value("no_kv_offload", 0);
    params.op_offload  = launch.value("op_offload", 1);
    params.type_k = type_named(launch.value("ctk", "f16"));
    params.type_v = type_named(launch.value("ctv", "f16"));
    const std::string flash = launch.value("fa", "auto");
    params.flash_attn_type = flash == "on" ? LLAMA_FLASH_ATTN_TYPE_ENABLED
        : flash == "off" ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO;
    return params;
}

static json measure(const char * path, const json & launch) {
    const bool metal = launch.value("backend", "cpu") == "metal";
    is_arm = launch.value("cpu_arch", metal ? "arm" : "x86") == "arm";
    llama_backend_init();
    if (metal) {
        ggml_backend_register(imitated_metal());
        ggml_backend_register(imitated_blas());
    }
    imitate_host_buffers();
    llama_model * model = load(path, launch, metal);
    json weights;
    measure_weights(model, path, launch.value("mmap", 1), weights);

    // The context is built as it is before anything is computed, in buffers that are there, though nobody ever touches them.
    only_plan_weights(model, false);
    llama_context * context = llama_init_from_model(model, context_params(launch));
    if (!context) throw refusal("no context");
    const auto & made = context->get_cparams();
    json truth = { { "nCtx", llama_n_ctx(context) }, { "nCtxSeq", llama_n_ctx_seq(context) }, { "slots", llama_n_seq_max(context) },
        { "kvUnified", made.kv_unified }, { "flashAttn", made.flash_attn } };
    truth["outputsMax"] = llama_n_batch(context);
    set_if_there(made, [&](auto & it) -> decltype((void) it.n_outputs_max) { truth["outputsMax"] = it.n_outputs_max; }, 0);
    truth.update(weights);
    size_t held[2][2] = {};
    for (auto & [type, sizes] : llama_get_memory_breakdown(context)) {
        const bool on_gpu = std::string(ggml_backend_buft_name(type)) == "MTL0";
        held[0][on_gpu] += sizes.context;
        held[1][on_gpu] += sizes.compute;
    }
    truth["contextGpu"] = held[0][1];
    truth["contextHost"] = held[0][0];
    truth["computeGpu"] = held[1][1];
    truth["computeHost"] = held[1][0];
    truth["output"] = context->buf_output ? ggml_backend_buffer_get_size(context->buf_output.get()) : 0;
    return truth;
}

// ---- a process for each launch, since llama.cpp aborts on some ---------------------------------------------------------

static json in_child(const char * path, const json & launch) {
    int pipes[2];
    if (pipe(pipes)) return { { "error", "no pipe" } };
    const pid_t child = fork();
    if (child == 0) {
        llama_log_set([](ggml_log_level level, const char * text, void *) {
            if (level == GGML_LOG_LEVEL_ERROR) complaints += text;
            if (getenv("INSTRUMENT_LOG")) fputs(text, stderr);
        }, nullptr);
        json answer;
        try {
            answer = measure(path, launch);
        } catch (const std::exception & error) {
            answer = { { "error", error.what() } };
        }
        const std::string text = answer.dump();
        _exit(write(pipes[1], text.data(), text.size()) == (ssize_t) text.size() ? 0 : 1);
    }
    close(pipes[1]);
    std::string text;
    char piece[4096];
    for (ssize_t n; (n = read(pipes[0], piece, sizeof(piece))) > 0;) text.append(piece, n);
    close(pipes[0]);
    waitpid(child, nullptr, 0);
    return text.empty() ? json { { "error", "aborted" } } : json::parse(text);
}

int main(int argc, char ** argv) {
    if (argc != 2) return fprintf(stderr, "usage: instrument MODEL.gguf < launches.jsonl\n"), 2;
    setenv("GGML_NO_BACKTRACE", "1", 1);
    for (std::string line; std::getline(std::cin, line);) {
        const json launch = json::parse(line);
        std::cout << json { { "launch", launch }, { "truth", in_child(argv[1], launch) } }.dump() << std::endl;
    }
}
