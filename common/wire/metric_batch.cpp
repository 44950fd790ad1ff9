#include "common/wire/metric_batch.h"

namespace liveops::wire {
namespace {

constexpr int kInPart = MetricBatchReader::kNested - 1;

template <typename T>
inline bool ReadNarrow(Reader& in, T& v) {
  std::uint64_t wide = 0;
  if (!in.Varint(wide)) return false;
  v = static_cast<T>(wide);
  return true;
}

std::uint32_t ToUint32(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
std::uint64_t ToUint64(std::uint64_t v) { return v; }

// One number or a packed run of them, as the type on the wire says.
template <typename T, typename F>
bool ReadNumbers(Type type, Reader& in, Column<T>& column, F convert) {
  if (type == Type::kBytes) {
    std::string_view run;
    return in.Bytes(run) && AddVarints(run, column, convert);
  }
  std::uint64_t v = 0;
  if (!in.Varint(v)) return false;
  column.Add(convert(v));
  return true;
}

bool ReadDoubles(Type type, Reader& in, Column<double>& column) {
  if (type == Type::kBytes) {
    std::string_view run;
    return in.Bytes(run) && AddFixed64s(run, column);
  }
  double v = 0;
  if (!in.Double(v)) return false;
  column.Add(v);
  return true;
}

}  // namespace

void MetricBatchReader::ClearBatch() {
  service_ = {};
  protocol_ = 0;
  base_time_ms_ = 0;
  strings_.clear();
  series_.clear();
  point_series_.Clear();
  point_time_delta_ms_.Clear();
  point_duration_ms_.Clear();
  point_value_.Clear();
  histograms_.clear();
  counts_.clear();
  bounds_.Clear();
  buckets_.Clear();
}

bool MetricBatchReader::AddSource(std::string_view message) {
  Reader in(message);
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    bool read = in.Tag(tag);
    if (!read) return false;
    switch (tag) {
      case Tag(1, Type::kBytes):
        read = in.Text(source_.emitter);
        break;
      case Tag(2, Type::kFixed64):
        read = in.Fixed64(source_.session);
        break;
      case Tag(3, Type::kVarint):
        read = in.Varint(source_.sequence);
        break;
      default:
        read = in.Skip(tag, kNested);
        break;
    }
    if (!read) return false;
  }
  return true;
}

bool MetricBatchReader::AddBatch(std::string_view message) {
  Reader in(message);
  while (!in.AtEnd()) {
    // Most fields are series, one after the other.
    if (in.At<Tag(4, Type::kBytes)>()) {
      std::string_view bytes;
      if (!in.Bytes(bytes) || !ReadSeries(Reader(bytes))) return false;
      continue;
    }
    std::uint32_t tag = 0;
    if (!in.Tag(tag) || !ReadBatchField(tag, in)) return false;
  }
  return true;
}

bool MetricBatchReader::ReadBatchField(std::uint32_t tag, Reader& in) {
  std::uint64_t number = 0;
  std::string_view bytes;
  switch (tag) {
    case Tag(1, Type::kBytes):
      return in.Text(service_);
    case Tag(2, Type::kVarint):
      return ReadNarrow(in, protocol_);
    case Tag(3, Type::kBytes):
      return in.Text(strings_.emplace_back());
    case Tag(4, Type::kBytes):
      return in.Bytes(bytes) && ReadSeries(Reader(bytes));
    case Tag(5, Type::kVarint):
      if (!in.Varint(number)) return false;
      base_time_ms_ = ZigZag(number);
      return true;
    case Tag(10, Type::kBytes):
      return in.Bytes(bytes) && ReadHistogram(Reader(bytes));
    default:
      return ReadColumn(tag, in);
  }
}

bool MetricBatchReader::ReadColumn(std::uint32_t tag, Reader& in) {
  const Type type = TypeOf(tag);
  switch (tag) {
    case Tag(6, Type::kBytes):
    case Tag(6, Type::kVarint):
      return ReadNumbers(type, in, point_series_, ToUint32);
    case Tag(7, Type::kBytes):
    case Tag(7, Type::kVarint):
      return ReadNumbers(type, in, point_time_delta_ms_, ZigZag);
    case Tag(8, Type::kBytes):
    case Tag(8, Type::kVarint):
      return ReadNumbers(type, in, point_duration_ms_, ToUint64);
    case Tag(9, Type::kBytes):
    case Tag(9, Type::kFixed64):
      return ReadDoubles(type, in, point_value_);
    default:
      return in.Skip(tag, kNested);
  }
}

bool MetricBatchReader::ReadSeries(Reader in) {
  SeriesEntry& entry = series_.emplace_back();
  // As every writer writes it, each field at most once and in order; what is left is read below.
  if ((in.At<Tag(1, Type::kFixed64)>() && !in.Fixed64(entry.fingerprint.hi)) ||
      (in.At<Tag(2, Type::kFixed64)>() && !in.Fixed64(entry.fingerprint.lo)) ||
      (in.At<Tag(3, Type::kVarint)>() && !ReadNarrow(in, entry.kind)) ||
      (in.At<Tag(4, Type::kVarint)>() && !ReadNarrow(in, entry.metric)) ||
      (in.At<Tag(5, Type::kVarint)>() && !ReadNarrow(in, entry.unit)) ||
      (in.At<Tag(6, Type::kBytes)>() && !in.Bytes(entry.labels))) {
    return false;
  }
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    bool read = in.Tag(tag);
    if (!read) return false;
    switch (tag) {
      case Tag(1, Type::kFixed64):
        read = in.Fixed64(entry.fingerprint.hi);
        break;
      case Tag(2, Type::kFixed64):
        read = in.Fixed64(entry.fingerprint.lo);
        break;
      case Tag(3, Type::kVarint):
        read = ReadNarrow(in, entry.kind);
        break;
      case Tag(4, Type::kVarint):
        read = ReadNarrow(in, entry.metric);
        break;
      case Tag(5, Type::kVarint):
        read = ReadNarrow(in, entry.unit);
        break;
      case Tag(6, Type::kBytes):
        read = in.Bytes(entry.labels);
        break;
      default:
        read = in.Skip(tag, kInPart);
        break;
    }
    if (!read) return false;
  }
  return true;
}

bool MetricBatchReader::ReadHistogram(Reader in) {
  HistogramPoint& point = histograms_.emplace_back();
  counts_.push_back({bounds_.size(), buckets_.size()});
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    bool read = in.Tag(tag);
    if (!read) return false;
    std::uint64_t number = 0;
    switch (tag) {
      case Tag(1, Type::kVarint):
        read = ReadNarrow(in, point.series);
        break;
      case Tag(2, Type::kVarint):
        read = in.Varint(number);
        point.time_delta_ms = ZigZag(number);
        break;
      case Tag(3, Type::kVarint):
        read = in.Varint(point.duration_ms);
        break;
      case Tag(4, Type::kVarint):
        read = in.Varint(point.count);
        break;
      case Tag(5, Type::kFixed64):
        read = in.Double(point.sum);
        break;
      default:
        read = ReadHistogramColumn(tag, in);
        break;
    }
    if (!read) return false;
  }
  return true;
}

bool MetricBatchReader::ReadHistogramColumn(std::uint32_t tag, Reader& in) {
  const Type type = TypeOf(tag);
  switch (tag) {
    case Tag(6, Type::kBytes):
    case Tag(6, Type::kFixed64):
      return ReadDoubles(type, in, bounds_);
    case Tag(7, Type::kBytes):
    case Tag(7, Type::kVarint):
      return ReadNumbers(type, in, buckets_, ToUint64);
    default:
      return in.Skip(tag, kInPart);
  }
}

HistogramPoint MetricBatchReader::histogram(std::size_t i) const {
  const bool last = i + 1 == histograms_.size();
  const std::size_t bounds_end = last ? bounds_.size() : counts_[i + 1].bounds;
  const std::size_t buckets_end = last ? buckets_.size() : counts_[i + 1].buckets;
  HistogramPoint point = histograms_[i];
  // Only now: the arrays moved while they grew.
  point.bounds = bounds_.All().subspan(counts_[i].bounds, bounds_end - counts_[i].bounds);
  point.bucket_counts =
      buckets_.All().subspan(counts_[i].buckets, buckets_end - counts_[i].buckets);
  return point;
}

}  // namespace liveops::wire
