/**
 * The record header that holds a tombstone's value as JSON. On the wire the value of a tombstone is null, and all of them would be
 * one record to the history; this is by which it knows them apart.
 */
export const identityHeader = 'ordeal-value';
