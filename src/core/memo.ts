/** What was worked out about an object, kept as long as the object lives. */
export class Memo<K extends WeakKey, V> {
  readonly #known = new WeakMap<K, { readonly value: V }>();

  /** What `make` gives for `key`: called once for each. */
  of(key: K, make: (key: K) => V): V {
    const known = this.#known.get(key);
    if (known !== undefined) return known.value;
    const value = make(key);
    this.#known.set(key, { value });
    return value;
  }
}
