#!/usr/bin/env node
if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const { execute } = await import('@oclif/core');
await execute({ dir: import.meta.url });
