// Spans by an unmodified OpenTelemetry SDK for JavaScript over OTLP/HTTP (JSON), and prints what it sent.
//
//     sdk_tracer.mjs http://127.0.0.1:4318/v1/traces SERVICE REQUESTS ERRORS MILLISECONDS
//
// Each request is a span of kind SERVER as the instrumentation of NestJS's HTTP server makes it, GET with `http.route` = /games/:id,
// that took MILLISECONDS, with a CLIENT span inside; they end 20 ms apart, the last one now. Of the first ERRORS the status is 500, the
// last took twice that time.
// Standard output is one JSON object: {"service": …, "requests": 100, "failed": 0, "slowest": <trace id>}. Exit code: 0, or 1 when
// an export failed.
import { createRequire } from "node:module";

// Its packages lie where setup put them.
const require = createRequire(process.env.SDK_MODULES + "/");
const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = require("@opentelemetry/api");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");

const [url, service, requests, errors, milliseconds] = process.argv.slice(2);
const exporter = new OTLPTraceExporter({ url, compression: "gzip" });
let failed = 0;
const counting = {
  export: (spans, done) =>
    exporter.export(spans, (result) => {
      if (result.code !== 0) failed += spans.length;
      done(result);
    }),
  shutdown: () => exporter.shutdown(),
  forceFlush: () => exporter.forceFlush(),
};
const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": service }),
  spanProcessors: [new BatchSpanProcessor({ exporter: counting, maxQueueSize: 4 * requests, scheduledDelayMillis: 200 })],
});
const tracer = provider.getTracer("@opentelemetry/instrumentation-http");
const now = Date.now();
let slowest = "";
for (let i = 0; i < requests; ++i) {
  const took = i + 1 < requests ? Number(milliseconds) : 2 * milliseconds;
  const endTime = now - 20 * (requests - 1 - i);
  const startTime = endTime - took;
  const status = i < errors ? 500 : 200;
  const span = tracer.startSpan("GET", { kind: SpanKind.SERVER, startTime }, ROOT_CONTEXT);
  const context = trace.setSpan(ROOT_CONTEXT, span);
  tracer.startSpan("SELECT games", { kind: SpanKind.CLIENT, startTime }, context).end(endTime);
  span.setAttributes({
    "http.request.method": "GET",
    "http.route": "/games/:id",
    "http.response.status_code": status,
    "url.path": `/games/${i}`,
  });
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endTime);
  slowest = span.spanContext().traceId;
}
await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify({ service, requests: Number(requests), failed, slowest }));
process.exitCode = failed === 0 ? 0 : 1;
