// Whatever Firehose delivers: a record in either format, and a delivery of them.
#include <google/protobuf/stubs/logging.h>

#include <cmath>

#include "common/testing/fuzz.h"
#include "services/ingest/source/cloudwatch_stream/firehose.h"
#include "services/ingest/source/cloudwatch_stream/stream_for_tests.h"
#include "services/ingest/source/cloudwatch_stream/translate.h"

namespace liveops::fuzz {
namespace {

using namespace ingest::cloudwatch;

void DemandDatum(const Datum& datum) {
  Demand(!datum.space.empty() && !datum.metric.empty(), "a datum has a name");
  Demand(datum.count > 0, "it is of samples");
  for (const double value : {datum.count, datum.sum, datum.min, datum.max})
    Demand(std::isfinite(value), "values are numbers");
  Demand(datum.min <= datum.max, "from min to max");
  Demand(datum.start_ms < datum.end_ms, "a period has a length");
  double below = 0;
  for (const auto& [share, value] : datum.percentiles) {
    Demand(share > 0 && share >= below && share < 1, "percentiles ascend");
    Demand(std::isfinite(value), "percentiles are numbers");
    below = share;
  }
  for (std::size_t i = 1; i < datum.dimensions.size(); ++i)
    Demand(datum.dimensions[i - 1].first <= datum.dimensions[i].first, "dimensions are sorted");
}

std::uint64_t PointsOf(const Translated& read) {
  std::uint64_t points = 0;
  for (const admit::BatchInput& batch : read.inputs()) {
    points += batch.points();
    for (const admit::HistogramInput& histogram : batch.histograms) {
      for (std::size_t i = 1; i < histogram.bounds.size(); ++i)
        Demand(histogram.bounds[i - 1] < histogram.bounds[i], "bounds ascend");
      std::uint64_t count = 0;
      for (const std::uint64_t in : histogram.bucket_counts) count += in;
      Demand(histogram.bucket_counts.empty() || count == histogram.count, "buckets hold all");
    }
  }
  return points;
}

}  // namespace

std::vector<std::string> Seeds() {
  Told slow;
  slow.metric = "TargetResponseTime";
  slow.percentiles = {{"50", 90}, {"50.0", 95}, {"99", 180}};
  Told none;
  none.count = 0;
  Told odd;
  odd.space = "AWS/RDS";
  odd.metric = "Deadlocks";
  odd.dimensions = {{"DBInstanceIdentifier", "shop"}};
  return {AsJson({Told{}}),
          AsOtlp({Told{}}),
          AsJson({slow, none, odd}),
          AsOtlp({slow, none, odd}),
          AsOtlp({slow}) + AsOtlp({odd}),
          R"({"requestId":"a","timestamp":1,"records":[{"data":"Zm9v"},{"data":"!"},{},7]})"};
}

std::vector<std::string> Words() {
  return {"\"value\":{",
          "\"count\":",
          "\"min\":",
          "\"p99\":",
          "\"timestamp\":",
          "\"dimensions\":{",
          "AWS/RDS",
          "1e308",
          "-1e308",
          "1e999",
          "\n{",
          "quantile",
          "\"records\":["};
}

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  std::uint64_t datums = 0;
  std::vector<admit::Rejection> rejections;
  ReadRecord(
      input,
      [&](const Datum& datum) {
        ++datums;
        DemandDatum(datum);
      },
      rejections);
  for (const admit::Rejection& rejection : rejections)
    Demand(rejection.points > 0 && !rejection.example.empty(), "what was dropped is told");

  static const TranslatorSettings settings;
  Translator translator(settings, "");
  translator.Add(input);
  const Translated read = translator.Take();
  Demand(read.datums == datums, "the same datums are translated");
  Demand(read.unmapped + read.dropped <= datums, "each is one thing");
  Translator again(settings, "");
  again.Add(input);
  Demand(PointsOf(again.Take()) == PointsOf(read), "the same record gives the same points");

  if (const auto delivery = ReadDelivery(input); delivery) {
    Demand(!delivery->id.empty(), "a delivery has an id");
    for (const std::string& record : delivery->records)
      Demand(!record.empty(), "records have data");
  }
}

}  // namespace liveops::fuzz
