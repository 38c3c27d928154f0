// The few forms that the schemas of --json outputs are made of.

/** An object that has all of these properties, those named in `optional` too, and no others. */
export function object(properties, optional = {}, description) {
  return {
    ...(description && { description }),
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties),
    properties: { ...properties, ...optional },
  };
}

export const list = (items, description) => ({ ...(description && { description }), type: 'array', items });
export const orNull = (schema) => ({ anyOf: [schema, { type: 'null' }] });
export const text = (description) => ({ type: 'string', ...(description && { description }) });
export const textOrNull = (description) => ({ type: ['string', 'null'], ...(description && { description }) });
export const count = (description) => ({ type: 'integer', minimum: 0, ...(description && { description }) });
export const countOrNull = (description) => ({
  type: ['integer', 'null'],
  minimum: 0,
  ...(description && { description }),
});
/** A difference, which may be negative. */
export const signed = (description) => ({ type: ['integer', 'null'], ...(description && { description }) });
export const yesOrNo = (description) => ({ type: 'boolean', ...(description && { description }) });
/** What the cluster or an operator writes, handed on as it is. */
export const asTheClusterSays = {
  description: 'as the cluster has it; null where it says nothing',
  type: ['object', 'null'],
};

export function output(name, description, body) {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: `${name}.schema.json`,
    title: `llmkube ${name.replaceAll('-', ' ')} --json`,
    description,
    ...body,
  };
}
