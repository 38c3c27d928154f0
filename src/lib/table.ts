/** Rows that are found by names from outside; `constructor` and its like are no rows unless they are written down. */
export function table<Row>(rows: Readonly<Record<string, Row>>): Readonly<Record<string, Row>> {
  return Object.assign(Object.create(null) as Record<string, Row>, rows);
}
