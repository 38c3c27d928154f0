/**
 * Every option of llama-server by how many words follow it: `common_params_parser_init` in `common/arg.cpp`, of llama.cpp v0.5.0
 * and b12032 together, with those that older builds have (`--mmap`, `--mlock`, `--direct-io`, presets, …).
 */
const NAMES_BY_VALUES: readonly (readonly string[])[] = [
  [
    '-ag --agent --backend-sampling -bs --cache-idle-slots --cache-list --cache-prompt -cb --check-tensors -cl -cmoe',
    '-cmoed --completion-bash --connect --cont-batching --context-shift --cors-credentials --cpu-moe --cpu-moe-draft',
    '-dio --direct-io -e --embd-bge-small-en-default --embd-e5-small-en-default --embd-gemma-default',
    '--embd-gte-small-default --embedding --embeddings --escape --fim-qwen-1.5b-default --fim-qwen-14b-spec',
    '--fim-qwen-30b-default --fim-qwen-3b-default --fim-qwen-7b-default --fim-qwen-7b-spec --gpt-oss-120b-default',
    '--gpt-oss-20b-default -h --help --ignore-eos --jinja --kv-offload --kv-unified -kvo -kvu --list-devices',
    '--log-disable --log-jsonl --log-prefix --log-timestamps --log-verbose --lora-init-without-apply --metrics',
    '--mlock --mmap --mmproj-auto --mmproj-offload --models-autoload -ndio -nkvo -no-ag --no-agent',
    '--no-cache-idle-slots --no-cache-prompt --no-cont-batching --no-context-shift --no-cors-credentials',
    '--no-direct-io --no-escape --no-host --no-jinja --no-kv-offload --no-kv-unified -no-kvu --no-log-jsonl',
    '--no-log-prefix --no-log-timestamps --no-mmap --no-mmproj --no-mmproj-auto --no-mmproj-offload',
    '--no-models-autoload --no-op-offload --no-perf --no-prefill-assistant --no-reasoning-preserve --no-repack',
    '--no-skip-chat-parsing --no-slots --no-spec-draft-backend-sampling --no-ui --no-ui-mcp-proxy --no-warmup',
    '--no-webui --no-webui-mcp-proxy -nocb -nr --offline --op-offload --perf --prefill-assistant --props',
    '--reasoning-preserve --repack --rerank --reranking --reuse-port --skip-chat-parsing --slots -sp --spec-default',
    '--spec-draft-backend-sampling --spec-draft-cpu-moe --special --spm-infill --swa-full --ui --ui-mcp-proxy --usage',
    '-v --verbose --version --vision-gemma-12b-default --vision-gemma-4b-default --warmup --webui --webui-mcp-proxy',
  ],
  [
    '-C -Cb -Cbd -Cd -Cr -Crb -Crd -a --adaptive-decay --adaptive-target --alias --api-key --api-key-file',
    '--api-prefix -b --batch-size -c --cache-ram --cache-reuse --cache-type-k --cache-type-k-draft --cache-type-v',
    '--cache-type-v-draft --chat-template --chat-template-file --chat-template-kwargs --checkpoint-min-step -cms',
    '--connect-code --control-vector --control-vector-scaled --cors-headers --cors-methods --cors-origins --cpu-mask',
    '--cpu-mask-batch --cpu-mask-batch-draft --cpu-mask-draft --cpu-range --cpu-range-batch --cpu-range-draft',
    '--cpu-strict --cpu-strict-batch --cpu-strict-batch-draft --cpu-strict-draft -cram -ctk -ctkd -ctv -ctvd',
    '--ctx-checkpoints --ctx-size -ctxcp --defrag-thold -dev -devd --device --device-draft --docker-repo -dr --draft',
    '--draft-max --draft-min --draft-n --draft-n-min --draft-p-min --draft-p-split --dry-allowed-length --dry-base',
    '--dry-multiplier --dry-penalty-last-n --dry-sequence-breaker -dt --dynatemp-exp --dynatemp-range',
    '--embd-normalize -fa --fit -fit --fit-ctx --fit-target -fitc -fitt --flash-attn --frequency-penalty --gpu-layers',
    '--gpu-layers-draft --grammar --grammar-file -hf --hf-file --hf-repo --hf-repo-draft --hf-token -hfd -hff -hfr',
    '-hfrd -hft --host --image-max-tokens --image-min-tokens -j -jf --json-schema --json-schema-file --keep',
    '--kv-unified-per-slot -l --lazy-mode -lcd -lcs -lm --load-mode --log-colors --log-file --log-prompts-dir',
    '--log-verbosity --logit-bias --lookup-cache-dynamic --lookup-cache-static --lora --lora-scaled -lv -lzm -m',
    '--main-gpu --mcp-servers-config --mcp-servers-json -md --media-path -mg --min-p --mirostat --mirostat-ent',
    '--mirostat-lr -mm -mmdev --mmproj --mmproj-device --mmproj-url -mmu --model --model-draft --model-url',
    '--model-vocoder --models-dir --models-max --models-memory-margin --models-preset --moe-cache-mib',
    '--mtmd-batch-max-tokens -mu -mv -n --n-cpu-ffn --n-cpu-moe --n-cpu-moe-draft --n-gpu-layers --n-gpu-layers-draft',
    '--n-predict -ncffn -ncmoe -ncmoed -ngl -ngld -np --numa -ot -otd --override-kv --override-tensor',
    '--override-tensor-draft --parallel --path --poll --poll-batch --poll-batch-draft --poll-draft --pooling --port',
    '--predict --presence-penalty --prio --prio-batch --prio-batch-draft --prio-draft -r -rea --reasoning',
    '--reasoning-budget --reasoning-budget-message --reasoning-effort --reasoning-format --repeat-last-n',
    '--repeat-penalty --reverse-prompt --rope-freq-base --rope-freq-scale --rope-scale --rope-scaling --rpc -s',
    '--sampler-seq --samplers --sampling-seq --seed --sleep-idle-seconds --slot-prompt-similarity --slot-save-path',
    '-sm --spec-draft-cpu-mask --spec-draft-cpu-mask-batch --spec-draft-cpu-range --spec-draft-cpu-strict',
    '--spec-draft-cpu-strict-batch --spec-draft-device --spec-draft-hf --spec-draft-model --spec-draft-n-cpu-moe',
    '--spec-draft-n-max --spec-draft-n-min --spec-draft-n-ubatch --spec-draft-ncmoe --spec-draft-ngl',
    '--spec-draft-override-tensor --spec-draft-p-min --spec-draft-p-split --spec-draft-poll --spec-draft-poll-batch',
    '--spec-draft-prio --spec-draft-prio-batch --spec-draft-sampling --spec-draft-threads --spec-draft-threads-batch',
    '--spec-draft-type-k --spec-draft-type-v --spec-ngram-map-k-min-hits --spec-ngram-map-k-size-m',
    '--spec-ngram-map-k-size-n --spec-ngram-map-k4v-min-hits --spec-ngram-map-k4v-size-m --spec-ngram-map-k4v-size-n',
    '--spec-ngram-min-hits --spec-ngram-mod-n-match --spec-ngram-mod-n-max --spec-ngram-mod-n-min',
    '--spec-ngram-simple-min-hits --spec-ngram-simple-size-m --spec-ngram-simple-size-n --spec-ngram-size-m',
    '--spec-ngram-size-n --spec-synth-len --spec-synth-rates --spec-type --split-mode -sps --sse-ping-interval',
    '--ssl-cert-file --ssl-key-file --swa-checkpoints -t --tags -tb -tbd -td --temp --temperature --tensor-split',
    '--threads --threads-batch --threads-batch-draft --threads-draft --threads-http --timeout -to --tools',
    '--tools-runtime --top-k --top-n-sigma --top-nsigma --top-p -ts --typical --typical-p -ub --ubatch-size',
    '--ui-config --ui-config-file --verbosity --video-ffmpeg-dir --video-fps --video-timestamp-interval',
    '--webui-config --webui-config-file --xtc-probability --xtc-threshold --yarn-attn-factor --yarn-beta-fast',
    '--yarn-beta-slow --yarn-ext-factor --yarn-orig-ctx',
  ],
  ['--control-vector-layer-range'],
];

const VALUES = new Map(
  NAMES_BY_VALUES.flatMap((lines, values) =>
    lines.flatMap((line) => line.split(' ')).map((name) => [name, values] as const),
  ),
);

/** How many words follow an option, by one of its spellings; undefined where llama-server has no such option. */
export function valueCount(name: string): number | undefined {
  return VALUES.get(name);
}

export function serverOptionNames(): readonly string[] {
  return [...VALUES.keys()];
}
