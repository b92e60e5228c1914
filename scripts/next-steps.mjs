/** The last lines of `npm start`: what to try next. */
const ordeal = 'node dist/src/cli/main.js';
console.log(`
See it catch a bug:    ${ordeal} test --defect ack-before-replication
On real Kafka:         ${ordeal} test --cluster docker --time-limit 30s    (needs a Docker engine: scripts/docker-engine.sh)`);
