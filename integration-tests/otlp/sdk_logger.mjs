// Logs by an unmodified OpenTelemetry SDK for JavaScript over OTLP/HTTP (JSON), and prints what it sent.
//
//     sdk_logger.mjs http://127.0.0.1:4318/v1/logs SERVICE LINES MESSAGE
//
// Each line is an error with `http.route` = /pay/:id and the ids of a span; "{}" in MESSAGE becomes the number of the line.
// Standard output is one JSON object: {"service": …, "lines": 100, "failed": 0}. Exit code: 0, or 1 when an export failed.
import { createRequire } from "node:module";

// Its packages lie where setup put them.
const require = createRequire(process.env.SDK_MODULES + "/");
const { SeverityNumber } = require("@opentelemetry/api-logs");
const { ROOT_CONTEXT, trace } = require("@opentelemetry/api");
const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchLogRecordProcessor, LoggerProvider } = require("@opentelemetry/sdk-logs");

const [url, service, count, message] = process.argv.slice(2);
const lines = Number(count);
const exporter = new OTLPLogExporter({ url });
let failed = 0;
const counting = {
  export: (records, done) =>
    exporter.export(records, (result) => {
      if (result.code !== 0) failed += records.length;
      done(result);
    }),
  shutdown: () => exporter.shutdown(),
  forceFlush: () => exporter.forceFlush(),
};
const provider = new LoggerProvider({
  resource: resourceFromAttributes({ "service.name": service }),
  processors: [new BatchLogRecordProcessor({ exporter: counting, maxQueueSize: lines + 1, scheduledDelayMillis: 200 })],
});
const logger = provider.getLogger("shop.payments");
const context = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: "5b8efff798038103d269b633813fc60c",
  spanId: "eee19b7ec3c1b174",
  traceFlags: 1,
});
for (let i = 0; i < lines; ++i) {
  logger.emit({
    severityNumber: SeverityNumber.ERROR,
    severityText: "ERROR",
    body: message.replace("{}", String(i)),
    attributes: { "http.route": "/pay/:id", attempt: 3 },
    context,
  });
}
await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify({ service, lines, failed }));
process.exitCode = failed === 0 ? 0 : 1;
