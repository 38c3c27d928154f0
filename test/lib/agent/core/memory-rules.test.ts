import { expect, test } from '@jest/globals';
import { memoryRules } from '../../../../src/lib/agent/core/memory-rules.js';
import { aModel, aService } from '../objects.js';

const FLAGS = { policy: { fraction: 0.5 }, mode: 'enforce', modeFrom: '--memory-check-mode' } as const;
const annotated = (name: string, value: string) => aService({}, { [`inference.llmkube.dev/memory-${name}`]: value });
const model = aModel({ memoryBudget: '24Gi', memoryFraction: 0.8 });

test('the service’s own annotations win over the Model, and that over the flags', () => {
  expect(memoryRules(annotated('budget', '8Gi'), model, FLAGS)).toMatchObject({ policy: { absoluteBytes: 2 ** 33 } });
  expect(memoryRules(annotated('fraction', '0.9'), model, FLAGS)).toMatchObject({ policy: { fraction: 0.9 } });
  expect(memoryRules(aService(), model, FLAGS)).toMatchObject({ policy: { absoluteBytes: 24 * 2 ** 30 } });
  expect(memoryRules(aService(), aModel({ memoryFraction: 0.8 }), FLAGS)).toMatchObject({ policy: { fraction: 0.8 } });
  expect(memoryRules(aService(), aModel(), FLAGS)).toEqual({ kind: 'rules', ...FLAGS });
  expect(memoryRules(annotated('check', 'warn'), aModel(), FLAGS)).toMatchObject({ mode: 'warn' });
});

test('whoever says how much is named', () => {
  const by = (service: ReturnType<typeof aService>, of = aModel()) => {
    const rules = memoryRules(service, of, FLAGS);
    return rules.kind === 'rules' ? [rules.policy.from, rules.modeFrom] : [];
  };
  expect(by(annotated('budget', '8Gi'), model)[0]).toBe('the annotation inference.llmkube.dev/memory-budget');
  expect(by(annotated('fraction', '0.9'))[0]).toBe('the annotation inference.llmkube.dev/memory-fraction');
  expect(by(aService(), model)[0]).toBe('spec.hardware.memoryBudget of Model tiny');
  expect(by(annotated('check', 'warn'))).toEqual([undefined, 'the annotation inference.llmkube.dev/memory-check']);
});

test.each([
  [annotated('budget', 'much'), aModel(), 'inference.llmkube.dev/memory-budget says "much"'],
  [annotated('budget', ''), aModel(), 'inference.llmkube.dev/memory-budget says ""'],
  [annotated('fraction', '67%'), aModel(), 'inference.llmkube.dev/memory-fraction says "67%"'],
  [annotated('fraction', '0'), aModel(), 'inference.llmkube.dev/memory-fraction says "0"'],
  [annotated('check', 'off'), aModel(), 'inference.llmkube.dev/memory-check says "off"'],
  [aService(), aModel({ memoryBudget: 'x' }), 'spec.hardware.memoryBudget of Model tiny says "x"'],
  [aService(), aModel({ memoryFraction: 2 }), 'spec.hardware.memoryFraction of Model tiny says 2'],
])('a value that cannot be read refuses and is named', (service, of, said) => {
  expect(memoryRules(service, of, FLAGS)).toMatchObject({ kind: 'unreadable', problem: expect.stringContaining(said) });
});
