#include "services/ingest/codec/otlp.h"

#include <limits>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "common/wire/wire.h"
#include "common/wire/writer.h"
#include "services/ingest/codec/exponential_histogram.h"
#include "services/ingest/codec/fields.h"
#include "services/ingest/codec/otlp_attributes.h"
#include "services/ingest/codec/otlp_exemplars.h"
#include "services/ingest/codec/otlp_packer.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

constexpr std::string_view kServiceAttribute = "service.name";
constexpr const char* kUnknownService = "unknown_service";
constexpr std::int64_t kNanosPerMs = 1'000'000;
constexpr std::uint64_t kDelta = 1;  // AggregationTemporality
constexpr std::uint64_t kCumulative = 2;
constexpr std::uint64_t kNoRecordedValue = 1;  // DataPointFlags

std::int64_t MsOfNanos(std::uint64_t nanos) {
  return static_cast<std::int64_t>(nanos / kNanosPerMs);
}

// Of the counts of a histogram, most of which are 0.
std::size_t CountBytes(std::span<const std::uint64_t> counts) {
  std::size_t bytes = 0;
  for (const std::uint64_t count : counts) bytes += wire::VarintSize(count);
  return bytes;
}

struct Times {
  std::int64_t time_ms = 0;
  std::uint64_t duration_ms = 0;
};

struct Metric {
  std::string_view name;
  std::string_view unit;
  std::uint32_t data = 0;  // number of the field that says what kind it is; 0 = none
  std::vector<std::string_view>
      parts;  // of `data`: a second one of the same kind adds to the first
};

// A point of a gauge, sum or histogram, as far as it is used.
struct Point {
  std::uint64_t start_nano = 0;
  std::uint64_t time_nano = 0;
  std::uint64_t flags = 0;
  std::uint64_t count = 0;
  double value = 0;  // or the sum of a histogram
};

class Reader {
 public:
  explicit Reader(std::size_t bytes_max) : packer_(bytes_max, out_) {}

  bool Request(std::string_view message) {
    return ForEachMessage(message, 1, [&](std::string_view inside) { return Resource(inside); });
  }

  OtlpBatches Take() {
    out_.rejections = std::move(refused_.rejections);
    return std::move(out_);
  }

 private:
  // What is common to its points may stand behind them.
  bool Resource(std::string_view message) {
    common_.Clear();
    if (!ForEachMessage(message, 1, [&](std::string_view resource) {
          return ForEachMessage(resource, 1,
                                [&](std::string_view pair) { return common_.Add(pair); });
        })) {
      return false;
    }
    service_.clear();
    std::vector<Attribute>& all = common_.all();
    for (const Attribute& attribute : all) {
      if (attribute.key == kServiceAttribute) service_ = attribute.text;
    }
    std::erase_if(all, [](const Attribute& a) { return a.key == kServiceAttribute; });
    common_.Settle();
    if (service_.empty()) service_ = kUnknownService;
    packer_.Of(service_);
    return ForEachMessage(message, 2, [&](std::string_view scope) {
      return ForEachMessage(scope, 2, [&](std::string_view metric) { return ReadMetric(metric); });
    });
  }

  bool ReadMetric(std::string_view message) {
    metric_.name = metric_.unit = {};
    metric_.data = 0;
    metric_.parts.clear();
    const bool read = ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
      switch (tag) {
        case Tag(1, Type::kBytes):
          return Taken(in.Text(metric_.name));
        case Tag(3, Type::kBytes):
          return Taken(in.Text(metric_.unit));
        case Tag(5, Type::kBytes):
        case Tag(7, Type::kBytes):
        case Tag(9, Type::kBytes):
        case Tag(10, Type::kBytes):
        case Tag(11, Type::kBytes):
          if (std::exchange(metric_.data, wire::FieldOf(tag)) != wire::FieldOf(tag))
            metric_.parts.clear();
          return Taken(in.Bytes(metric_.parts.emplace_back()));
        default:
          return Took::kSkip;
      }
    });
    return read && Data();
  }

  bool Data() {
    switch (metric_.data) {
      case 5:
        return Numbers(admit::SeriesKind::kGauge);
      case 7:
        return Sum();
      case 9:
        return Histogram([&](std::string_view message, admit::SeriesKind kind) {
          return HistogramPoint(message, kind);
        });
      case 10:
        return Histogram([&](std::string_view message, admit::SeriesKind kind) {
          return ExponentialPoint(message, kind);
        });
      case 11:
        return Unsupported("summaries are not taken; use a histogram");
      default:
        return true;  // no data, no points
    }
  }

  // Fields 2 and 3 of the parts, the last of each; they may stand behind the points.
  bool ReadNature(std::uint64_t& temporality, std::uint64_t& monotonic) {
    for (const std::string_view part : metric_.parts) {
      if (!ForEachField(part, [&](std::uint32_t tag, wire::Reader& in) {
            if (tag == Tag(2, Type::kVarint)) return Taken(in.Varint(temporality));
            if (tag == Tag(3, Type::kVarint)) return Taken(in.Varint(monotonic));
            return Took::kSkip;
          })) {
        return false;
      }
    }
    return true;
  }

  bool Sum() {
    std::uint64_t temporality = 0;
    std::uint64_t monotonic = 0;
    if (!ReadNature(temporality, monotonic)) return false;
    if (temporality == kCumulative) {
      return Numbers(monotonic != 0 ? admit::SeriesKind::kCounterCumulative
                                    : admit::SeriesKind::kGauge);
    }
    if (temporality != kDelta)
      return Unsupported("a sum without delta or cumulative temporality is not taken");
    if (monotonic == 0) {
      return Unsupported(
          "a delta sum that is not monotonic is not taken; export up-down counters cumulatively");
    }
    return Numbers(admit::SeriesKind::kCounterDelta);
  }

  template <typename F>
  bool ForEachPoint(F each) {
    for (const std::string_view part : metric_.parts) {
      if (!ForEachMessage(part, 1, each)) return false;
    }
    return true;
  }

  bool Numbers(admit::SeriesKind kind) {
    return ForEachPoint([&](std::string_view message) { return Number(message, kind); });
  }

  bool Number(std::string_view message, admit::SeriesKind kind) {
    Point point;
    point.value = std::numeric_limits<double>::quiet_NaN();  // neither form: refused as not finite
    BeginPoint();
    const bool read = ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
      std::string_view pair;
      std::uint64_t number = 0;
      switch (tag) {
        case Tag(7, Type::kBytes):
          return Taken(in.Bytes(pair) && own_.Add(pair));
        case Tag(2, Type::kFixed64):
          return Taken(in.Fixed64(point.start_nano));
        case Tag(3, Type::kFixed64):
          return Taken(in.Fixed64(point.time_nano));
        case Tag(4, Type::kFixed64):
          return Taken(in.Double(point.value));
        case Tag(5, Type::kBytes):
          return Taken(in.Bytes(exemplars_.emplace_back()));
        case Tag(6, Type::kFixed64):
          if (!in.Fixed64(number)) return Took::kMalformed;
          point.value = static_cast<double>(static_cast<std::int64_t>(number));
          return Took::kYes;
        case Tag(8, Type::kVarint):
          return Taken(in.Varint(point.flags));
        default:
          return Took::kSkip;
      }
    });
    if (!read) return false;
    if (NoValue(point)) return true;
    auto times = TimesOf(point);
    if (!times) return true;
    if (kind == admit::SeriesKind::kGauge) times->duration_ms = 0;
    EncodeLabels(common_.all(), own_.all(), scratch_, labels_);
    packer_.Add(kind, metric_.name, metric_.unit, labels_, times->time_ms, times->duration_ms,
                point.value);
    TakeExemplars();
    return true;
  }

  template <typename F>
  bool Histogram(F point) {
    std::uint64_t temporality = 0;
    std::uint64_t ignored = 0;
    if (!ReadNature(temporality, ignored)) return false;
    if (temporality != kDelta && temporality != kCumulative)
      return Unsupported("a histogram without delta or cumulative temporality is not taken");
    const auto kind = temporality == kDelta ? admit::SeriesKind::kHistogramDelta
                                            : admit::SeriesKind::kHistogramCumulative;
    return ForEachPoint([&](std::string_view message) { return point(message, kind); });
  }

  Took HistogramField(std::uint32_t tag, wire::Reader& in, Point& point) {
    std::string_view bytes;
    switch (tag) {
      case Tag(9, Type::kBytes):
        return Taken(in.Bytes(bytes) && own_.Add(bytes));
      case Tag(2, Type::kFixed64):
        return Taken(in.Fixed64(point.start_nano));
      case Tag(3, Type::kFixed64):
        return Taken(in.Fixed64(point.time_nano));
      case Tag(4, Type::kFixed64):
        return Taken(in.Fixed64(point.count));
      case Tag(5, Type::kFixed64):
        return Taken(in.Double(point.value));
      case Tag(6, Type::kBytes):
        return Taken(in.Bytes(bytes) && wire::AddFixed64s(bytes, buckets_));
      case Tag(6, Type::kFixed64):
        return Taken(in.Fixed64(*buckets_.Room(1)) && (buckets_.Added(1), true));
      case Tag(7, Type::kBytes):
        return Taken(in.Bytes(bytes) && wire::AddFixed64s(bytes, bounds_));
      case Tag(7, Type::kFixed64):
        return Taken(in.Double(*bounds_.Room(1)) && (bounds_.Added(1), true));
      case Tag(8, Type::kBytes):
        return Taken(in.Bytes(exemplars_.emplace_back()));
      case Tag(10, Type::kVarint):
        return Taken(in.Varint(point.flags));
      default:
        return Took::kSkip;
    }
  }

  bool HistogramPoint(std::string_view message, admit::SeriesKind kind) {
    Point point;
    BeginPoint();
    bounds_.Clear();
    buckets_.Clear();
    if (!ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
          return HistogramField(tag, in, point);
        })) {
      return false;
    }
    if (NoValue(point)) return true;
    const auto times = TimesOf(point);
    if (!times) return true;
    const std::uint32_t series =
        Series(kind, OtlpPacker::kPointBytes + 20 + 8 * bounds_.size() + 10 * buckets_.size());
    OtlpBatch& batch = packer_.batch(times->time_ms);
    batch.histograms.push_back({series, times->time_ms - batch.base_time_ms, times->duration_ms,
                                point.count, point.value, packer_.Keep(bounds_.All()),
                                packer_.Keep(buckets_.All())});
    TakeExemplars();
    return true;
  }

  bool ExponentialPoint(std::string_view message, admit::SeriesKind kind) {
    BeginPoint();
    if (!exponential_.Read(message, own_)) return false;
    ForEachMessage(message, 11, [&](std::string_view m) { return exemplars_.push_back(m), true; });
    const Point point{exponential_.start_nano(), exponential_.time_nano(), exponential_.flags(),
                      exponential_.count(), exponential_.sum()};
    if (NoValue(point)) return true;
    const auto times = TimesOf(point);
    if (!times) return true;
    if (!exponential_.Lay()) {
      Refuse(admit::Refusal::kBadHistogram, 1, Name() + ": its bucket counts overflow");
      return true;
    }
    const LaidHistogram& laid = exponential_.laid();
    LaidHistogram::Part part{laid.bounds(), laid.counts()};
    if (kind == admit::SeriesKind::kHistogramDelta) {
      part = laid.Occupied();
    } else if (!laid.ladder().empty()) {
      own_.all().push_back({kLadderLabel, laid.ladder()});
    }
    const std::uint32_t series = Series(
        kind, OtlpPacker::kPointBytes + 20 + 8 * part.bounds.size() + CountBytes(part.counts));
    OtlpBatch& batch = packer_.batch(times->time_ms);
    batch.histograms.push_back({series, times->time_ms - batch.base_time_ms, times->duration_ms,
                                point.count, point.value, part.bounds, packer_.Keep(part.counts)});
    TakeExemplars();
    return true;
  }

  void BeginPoint() { own_.Clear(), exemplars_.clear(); }

  bool NoValue(const Point& point) {
    if ((point.flags & kNoRecordedValue) == 0) return false;
    ++out_.no_value;
    return true;
  }

  std::optional<Times> TimesOf(const Point& point) {
    const std::int64_t time_ms = MsOfNanos(point.time_nano);
    if (point.start_nano == 0) return Times{time_ms, 0};
    if (point.start_nano > point.time_nano) {
      Refuse(admit::Refusal::kBadStart, 1, Name() + ": its start lies after its time");
      return std::nullopt;
    }
    return Times{time_ms, static_cast<std::uint64_t>(time_ms - MsOfNanos(point.start_nano))};
  }

  bool Unsupported(const char* why) {
    std::uint64_t points = 0;
    const bool read = ForEachPoint([&](std::string_view) {
      ++points;
      return true;
    });
    if (read) Refuse(admit::Refusal::kUnsupported, points, Name() + ": " + why);
    return read;
  }

  void Refuse(admit::Refusal reason, std::uint64_t points, const std::string& example) {
    refused_.Reject(reason, points, example);
    if (points > 0) out_.refused[service_] += points;
  }

  // The index of the series of `own_` in the batch that its point goes to.
  std::uint32_t Series(admit::SeriesKind kind, std::size_t point_bytes) {
    EncodeLabels(common_.all(), own_.all(), scratch_, labels_);
    return packer_.Series(kind, metric_.name, metric_.unit, labels_, point_bytes);
  }

  // Of the point whose labels were encoded last.
  void TakeExemplars() {
    AddExemplars(exemplars_, {service_, metric_.name, metric_.unit, labels_}, out_.exemplars);
  }

  std::string Name() const { return ScrubUtf8(Truncate(metric_.name, 100)); }

  OtlpBatches out_;
  OtlpPacker packer_;
  admit::Admission refused_;
  std::string service_;
  Metric metric_;
  AttributeList common_{*out_.memory};  // of the resource
  AttributeList own_{*out_.memory};     // of the point
  std::vector<Attribute> scratch_;
  std::string labels_;
  std::vector<std::string_view> exemplars_;  // of the point
  wire::Column<double> bounds_;
  wire::Column<std::uint64_t> buckets_;
  ExponentialHistogram exponential_;
};

}  // namespace

admit::BatchInput OtlpBatch::input() const {
  return {service,           strings,      series,
          base_time_ms,      point_series, point_time_delta_ms,
          point_duration_ms, point_value,  histograms};
}

Result<OtlpBatches> ReadOtlp(std::string_view request, std::size_t bytes_max) {
  Reader reader(bytes_max);
  if (reader.Request(request)) return reader.Take();
  return InvalidError(
      "the message is not an opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest: "
      "it is malformed or a text in it is not UTF-8");
}

}  // namespace liveops::ingest
