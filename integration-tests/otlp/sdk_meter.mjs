// Metrics by an unmodified OpenTelemetry SDK for JavaScript over OTLP/HTTP (JSON), and prints what it sent.
//
//     sdk_meter.mjs http://127.0.0.1:4318/v1/metrics SERVICE EXPORTS
//
// Each of the exports, a second apart, follows 100 requests: the counter `http_request_count` grows by 100 and `http_5xx_count` by 50;
// the gauge `db_connection_count` reads 42; the histogram `http_request_duration_ms`, which is exponential, gets 100 values of 120.
// Standard output is one JSON object: {"service": …, "exports": 4, "failed": 0}. Exit code: 0, or 1 when an export failed.
import { createRequire } from "node:module";

// Its packages lie where setup put them.
const require = createRequire(process.env.SDK_MODULES + "/");
const { AggregationTemporalityPreference, OTLPMetricExporter } = require("@opentelemetry/exporter-metrics-otlp-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { AggregationType, InstrumentType, MeterProvider, PeriodicExportingMetricReader } = require("@opentelemetry/sdk-metrics");

const [url, service, exports] = process.argv.slice(2);
const exporter = new OTLPMetricExporter({ url, temporalityPreference: AggregationTemporalityPreference.DELTA });
let failed = 0;
const counting = {
  export: (metrics, done) =>
    exporter.export(metrics, (result) => {
      if (result.code !== 0) ++failed;
      done(result);
    }),
  selectAggregationTemporality: (type) => exporter.selectAggregationTemporality(type),
  shutdown: () => exporter.shutdown(),
  forceFlush: () => exporter.forceFlush(),
};
const provider = new MeterProvider({
  resource: resourceFromAttributes({ "service.name": service }),
  readers: [new PeriodicExportingMetricReader({ exporter: counting, exportIntervalMillis: 3_600_000 })],
  views: [{ instrumentType: InstrumentType.HISTOGRAM, aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
});
const meter = provider.getMeter("liveops.sdk_meter");
const requests = meter.createCounter("http_request_count", { unit: "1" });
const errors = meter.createCounter("http_5xx_count", { unit: "1" });
const latency = meter.createHistogram("http_request_duration_ms", { unit: "ms" });
meter.createObservableGauge("db_connection_count", { unit: "1" }).addCallback((result) => result.observe(42));
for (let i = 0; i < exports; ++i) {
  if (i > 0) await new Promise((resolve) => setTimeout(resolve, 1000));
  requests.add(100, { endpoint: "/games" });
  errors.add(50, { endpoint: "/games" });
  for (let n = 0; n < 100; ++n) latency.record(120, { endpoint: "/games" });
  await provider.forceFlush();
}
await provider.shutdown();
console.log(JSON.stringify({ service, exports: Number(exports), failed }));
process.exitCode = failed === 0 ? 0 : 1;
