#include "services/ingest/source/cloudwatch_stream/translate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace liveops::ingest::cloudwatch {
namespace {

Labels LabelsOf(const Datum& datum) {
  Labels::Pairs pairs = datum.dimensions;
  for (const auto& [name, value] : {std::pair("account", &datum.account),
                                    {"region", &datum.region},
                                    {"namespace", &datum.space}}) {
    if (!value->empty()) pairs.emplace_back(name, *value);
  }
  return Labels(std::move(pairs));
}

std::string NameOf(const Datum& datum) {
  std::string name = datum.space + "/" + datum.metric + "{";
  for (std::size_t i = 0; i < datum.dimensions.size(); ++i)
    name += (i == 0 ? "" : ",") + datum.dimensions[i].first;
  return name + "}";
}

admit::SeriesKind KindOf(Statistic statistic) {
  switch (statistic) {
    case Statistic::kSum:
    case Statistic::kCount:
    case Statistic::kPerSecond:
      return admit::SeriesKind::kCounterDelta;
    case Statistic::kDistribution:
      return admit::SeriesKind::kHistogramDelta;
    default:
      return admit::SeriesKind::kGauge;
  }
}

double ValueOf(const Datum& datum, Statistic statistic) {
  constexpr double kMsPerSecond = 1000;
  switch (statistic) {
    case Statistic::kSum:
      return datum.sum;
    case Statistic::kCount:
      return datum.count;
    case Statistic::kPerSecond:
      return datum.sum / datum.count * static_cast<double>(datum.end_ms - datum.start_ms) /
             kMsPerSecond;
    case Statistic::kMin:
      return datum.min;
    case Statistic::kMax:
      return datum.max;
    default:
      return datum.sum / datum.count;
  }
}

// Between min, the percentiles and max: what lies up to each is known.
struct Buckets {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
};
Buckets BucketsOf(const Datum& datum, double factor) {
  const auto all = static_cast<std::uint64_t>(std::llround(datum.count));
  Buckets out;
  std::uint64_t before = 0;
  const auto add = [&](double bound, double up_to) {
    const std::uint64_t total = std::clamp<std::uint64_t>(
        static_cast<std::uint64_t>(std::llround(up_to * datum.count)), before, all);
    bound *= factor;
    if (!out.bounds.empty() && bound <= out.bounds.back()) {
      out.counts.back() += total - before;  // many values are equal
    } else {
      out.bounds.push_back(bound);
      out.counts.push_back(total - before);
    }
    before = total;
  };
  add(datum.min, 0);
  for (const auto& [quantile, value] : datum.percentiles) add(std::min(value, datum.max), quantile);
  add(datum.max, 1);
  out.counts.push_back(0);  // above it
  return out;
}

}  // namespace

std::vector<admit::BatchInput> Translated::inputs() const {
  std::vector<admit::BatchInput> inputs;
  for (const auto& batch : batches) inputs.push_back(batch->Input(base));
  return inputs;
}

Translator::Translator(const TranslatorSettings& settings, std::string service)
    : settings_(settings), service_(service.empty() ? settings.service : std::move(service)) {}

void Translator::Add(std::string_view record) {
  ReadRecord(
      record, [this](const Datum& datum) { Take(datum); }, out_.rejections);
}

void Translator::Take(const Datum& datum) {
  ++out_.datums;
  const std::vector<Output>* const outputs = settings_.mapping.Find(datum);
  if (outputs == nullptr) {
    ++out_.unmapped;
    if (out_.unmapped_names.size() < Translated::kNamesMax)
      out_.unmapped_names.insert(NameOf(datum));
    return;
  }
  if (outputs->empty()) return void(++out_.dropped);
  std::string service = settings_.services.Of(datum);
  if (service.empty()) service = service_;
  if (!std::exchange(based_, true)) out_.base = RealFromMs(datum.end_ms);
  Open& open = open_[service];
  if (open.batch == nullptr || open.batch->bytes() > settings_.batch_bytes) {
    open.batch = out_.batches.emplace_back(std::make_unique<admit::BatchBuilder>(service)).get();
    open.series.clear();
  }
  const Labels labels = LabelsOf(datum);
  for (const Output& output : *outputs) Write(datum, output, labels, open);
  if (open.batch->points() > 0) return;
  out_.batches.pop_back();  // a distribution without percentiles alone: nothing came of it
  open = {};
}

void Translator::Write(const Datum& datum, const Output& output, const Labels& labels, Open& open) {
  const bool distribution = output.statistic == Statistic::kDistribution;
  if (distribution && datum.percentiles.empty()) return;
  const admit::SeriesKind kind = KindOf(output.statistic);
  const auto [found, fresh] =
      open.series.try_emplace(output.metric + '\0' + output.unit + '\0' +
                                  std::to_string(static_cast<int>(kind)) + labels.Encode(),
                              0);
  if (fresh) found->second = open.batch->Series(kind, output.metric, output.unit, labels);
  const std::int64_t delta_ms = datum.end_ms - ToMs(out_.base);
  const auto covered_ms = static_cast<std::uint64_t>(datum.end_ms - datum.start_ms);
  if (distribution) {
    Buckets buckets = BucketsOf(datum, output.factor);
    return open.batch->HistogramPoint(found->second,
                                      static_cast<std::uint64_t>(std::llround(datum.count)),
                                      datum.sum * output.factor, std::move(buckets.bounds),
                                      std::move(buckets.counts), covered_ms, delta_ms);
  }
  const bool counter = kind == admit::SeriesKind::kCounterDelta;
  const double factor = output.statistic == Statistic::kCount ? 1 : output.factor;
  open.batch->Point(found->second, ValueOf(datum, output.statistic) * factor,
                    counter ? covered_ms : 0, delta_ms);
}

}  // namespace liveops::ingest::cloudwatch
