/** Our own Kafka client: readers, the audit and the admin port, straight over TCP. */
export { createWireAdmin } from './admin.ts';
export { createWireAuditClient } from './audit.ts';
export { createWireReaderFactory } from './reader.ts';
