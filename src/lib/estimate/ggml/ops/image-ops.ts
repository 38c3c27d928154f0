import type { GgmlType } from '../../../gguf/ggml-types.js';
import { cont, mulMat, permute, reshape, result } from './ops.js';
import { F16, F32, type Four, I32, type Tensor } from '../tensor.js';

/*
 * What encoders of images and audio need beside ops.ts: `ggml/src/ggml.c` (llama.cpp v0.5.0), shapes and sources only.
 */

/** Step, padding; dilation is 1 everywhere. */
export interface Window {
  readonly stride: number;
  readonly padding: number;
}

function outputs(size: number, kernel: number, { stride, padding }: Window): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/** `ggml_im2col`: each output position's inputs in a row. */
export function im2col(kernel: Tensor, input: Tensor, window: Window, is2d: boolean, type: GgmlType): Tensor {
  const [kw, kh, kc] = kernel.ne;
  const width = outputs(input.ne[0], kw, window);
  const ne: Four = is2d
    ? [kw * kh * kc, width, outputs(input.ne[1], kh, window), input.ne[3]]
    : [kw * kh, width, input.ne[2], 1];
  return result('IM2COL', type, ne, kernel, input);
}

/** Convolutions read f16, except with kernels that f16 cannot hold. */
function unfoldedType(kernel: Tensor): GgmlType {
  return kernel.type.name === 'BF16' ? F32 : F16;
}

export function conv2d(kernel: Tensor, input: Tensor, window: Window): Tensor {
  const [kw, kh, kc, channels] = kernel.ne;
  const unfolded = im2col(kernel, input, window, true, unfoldedType(kernel));
  const [row, width, height, batch] = unfolded.ne;
  const product = mulMat(reshape(unfolded, row, batch * height * width), reshape(kernel, kw * kh * kc, channels));
  return cont(permute(reshape(product, width, height, batch, channels), 0, 1, 3, 2));
}

/** `ggml_conv_2d_dw`: each channel by itself. */
export function conv2dDepthwise(kernel: Tensor, input: Tensor, window: Window): Tensor {
  const [kw, kh, across, channels] = kernel.ne;
  const [w, h, c, n] = input.ne;
  const flat = reshape(kernel, kw, kh, 1, across * channels);
  const unfolded = im2col(flat, reshape(input, w, h, 1, c * n), window, true, unfoldedType(kernel));
  const [row, width, height] = unfolded.ne;
  const product = mulMat(reshape(flat, kw * kh, 1, across * channels), reshape(unfolded, row, height * width, c, n));
  return reshape(product, width, height, c, n);
}

/** `ggml_conv_2d_direct`: without unfolding the input. */
export function conv2dDirect(kernel: Tensor, input: Tensor, window: Window): Tensor {
  const [kw, kh, , channels] = kernel.ne;
  const ne: Four = [outputs(input.ne[0], kw, window), outputs(input.ne[1], kh, window), channels, input.ne[3]];
  return result('CONV_2D', input.type, ne, kernel, input);
}

/** `ggml_conv_2d_dw_direct`. */
export function conv2dDepthwiseDirect(kernel: Tensor, input: Tensor, window: Window): Tensor {
  const [w, h, channels, batch] = input.ne;
  const ne: Four = [outputs(w, kernel.ne[0], window), outputs(h, kernel.ne[1], window), channels, batch];
  return result('CONV_2D_DW', input.type, ne, kernel, input);
}

/** `ggml_pad_ext` with room before what is there, too, which Metal cannot run. */
export function padAround(a: Tensor, ne: Four): Tensor {
  return Object.assign(result('PAD', a.type, ne, a), { variant: 'around' });
}

export function argmax(a: Tensor): Tensor {
  return result('ARGMAX', I32, [a.ne[1], 1, 1, 1], a);
}

export function conv1d(kernel: Tensor, input: Tensor, window: Window): Tensor {
  const unfolded = im2col(kernel, input, window, false, unfoldedType(kernel));
  const [row, length, batch] = unfolded.ne;
  const [k, channelsIn, channels] = kernel.ne;
  const product = mulMat(reshape(unfolded, row, batch * length), reshape(kernel, k * channelsIn, channels));
  return reshape(product, length, channels, batch);
}

/** `ggml_conv_1d_ph`: half padding. */
export function conv1dHalfPadded(kernel: Tensor, input: Tensor, stride: number): Tensor {
  return conv1d(kernel, input, { stride, padding: Math.floor(kernel.ne[0] / 2) });
}

/** One value for each square of this side, or rectangle, one beside the other. */
export function pool2d(a: Tensor, width: number, height = width): Tensor {
  const across = outputs(a.ne[0], width, { stride: width, padding: 0 });
  const down = outputs(a.ne[1], height, { stride: height, padding: 0 });
  return result('POOL_2D', F32, [across, down, a.ne[2], a.ne[3]], a);
}

export function pool1d(a: Tensor, width: number): Tensor {
  return result('POOL_1D', F32, [outputs(a.ne[0], width, { stride: width, padding: 0 }), a.ne[1], a.ne[2], a.ne[3]], a);
}

export function interpolate(a: Tensor, ne0: number, ne1: number, ne2 = a.ne[2], ne3 = a.ne[3]): Tensor {
  return result('UPSCALE', a.type, [ne0, ne1, ne2, ne3], a);
}

export function sin(a: Tensor): Tensor {
  return result('SIN', a.type, [...a.ne], a);
}

export function cos(a: Tensor): Tensor {
  return result('COS', a.type, [...a.ne], a);
}

export function roll(a: Tensor): Tensor {
  return result('ROLL', a.type, [...a.ne], a);
}
