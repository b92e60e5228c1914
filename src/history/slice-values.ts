/** Reading what the value of an event holds, own fields alone: nothing in a file can reach a prototype. */

export function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
  return new Map(Object.entries(value));
}

export function textIn(value: unknown, field: string): string | null {
  const text = fieldsOf(value).get(field);
  return typeof text === 'string' ? text : null;
}

/** The strings of a list; none where the field is missing or no list. */
export function stringsIn(value: unknown, field: string): readonly string[] {
  const list = fieldsOf(value).get(field);
  if (!Array.isArray(list)) return [];
  return (list as readonly unknown[]).filter((each) => typeof each === 'string');
}
