/** Memory in GB (2^30 bytes) of the Macs with Apple silicon that have been sold. */
export const MAC_SIZES_GB: readonly number[] = [8, 16, 18, 24, 32, 36, 48, 64, 96, 128, 192, 256, 512];

/** Memory in GB of GPUs that are common, one GPU. */
export const GPU_SIZES_GB: readonly number[] = [8, 10, 11, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 141, 180, 192, 288];
