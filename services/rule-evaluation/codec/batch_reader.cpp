#include "services/rule-evaluation/codec/batch_reader.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "services/rule-evaluation/codec/ranges.h"

namespace liveops::evaluation {
namespace {

using wire::Tag;
using wire::Type;

// Groups may not be nested deeper than messages: each message around one takes a level.
constexpr int kInRecord = wire::kNestedMax;
constexpr int kInBody = wire::kNestedMax - 1;
constexpr int kInPart = wire::kNestedMax - 2;

Error Malformed(std::string what) { return InvalidError("malformed metric batch: " + what); }

// A `string` of proto3, which is UTF-8 or the record is none.
bool ReadText(wire::Reader& in, std::string_view& text) {
  if (!in.Bytes(text)) return false;
  const auto ascii = [](char c) { return static_cast<signed char>(c) >= 0; };
  return std::all_of(text.begin(), text.end(), ascii) || IsValidUtf8(text);
}

inline bool ReadUint32(wire::Reader& in, std::uint32_t& v) {
  std::uint64_t wide = 0;
  if (!in.Varint(wide)) return false;
  v = static_cast<std::uint32_t>(wide);
  return true;
}

std::uint32_t ToUint32(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
std::uint64_t ToUint64(std::uint64_t v) { return v; }

// One number or a packed run of them, as the type on the wire says.
template <typename T, typename F>
bool ReadNumbers(Type type, wire::Reader& in, wire::Column<T>& column, F convert) {
  if (type == Type::kBytes) {
    std::string_view run;
    return in.Bytes(run) && wire::AddVarints(run, column, convert);
  }
  std::uint64_t v = 0;
  if (!in.Varint(v)) return false;
  column.Add(convert(v));
  return true;
}

bool ReadDoubles(Type type, wire::Reader& in, wire::Column<double>& column) {
  if (type == Type::kBytes) {
    std::string_view run;
    return in.Bytes(run) && wire::AddDoubles(run, column);
  }
  double v = 0;
  if (!in.Double(v)) return false;
  column.Add(v);
  return true;
}

template <typename T>
bool AllSane(std::span<const T> times) {
  bool sane = true;
  for (const T t : times) sane &= Sane(t);
  return sane;
}

}  // namespace

void BatchReader::Clear() {
  service_ = {};
  protocol_ = 0;
  base_time_ms_ = 0;
  strings_.clear();
  series_.clear();
  entries_.clear();
  point_series_.Clear();
  point_time_delta_ms_.Clear();
  point_duration_ms_.Clear();
  point_value_.Clear();
  histograms_.clear();
  counts_.clear();
  bounds_.Clear();
  buckets_.Clear();
}

BatchReader::Found BatchReader::Read(std::string_view record) {
  Clear();
  source_ = {};
  Found found = Found::kOther;
  bool others = false;
  wire::Reader in(record);
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    if (!in.Tag(tag)) return Found::kMalformed;
    const std::uint32_t field = wire::FieldOf(tag);
    if (wire::TypeOf(tag) != Type::kBytes || field > kBodyLast) {
      if (!in.Skip(tag, kInRecord)) return Found::kMalformed;
      continue;
    }
    std::string_view message;
    if (!in.Bytes(message)) return Found::kMalformed;
    if (field == 1) {
      if (!ReadSource(wire::Reader(message))) return Found::kMalformed;
    } else if (field == 2) {
      // The last body counts; a second one of the same kind adds to the first.
      if (found == Found::kOther) Clear();
      found = others ? Found::kMixed : Found::kBatch;
      if (!ReadBatch(wire::Reader(message))) return Found::kMalformed;
    } else {
      found = Found::kOther;
      others = true;
    }
  }
  return found;
}

bool BatchReader::ReadSource(wire::Reader in) {
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    bool read = in.Tag(tag);
    if (!read) return false;
    switch (tag) {
      case Tag(1, Type::kBytes):
        read = ReadText(in, source_.emitter);
        break;
      case Tag(2, Type::kFixed64):
        read = in.Fixed64(source_.session);
        break;
      case Tag(3, Type::kVarint):
        read = in.Varint(source_.sequence);
        break;
      default:
        read = in.Skip(tag, kInBody);
        break;
    }
    if (!read) return false;
  }
  return true;
}

bool BatchReader::ReadBatch(wire::Reader in) {
  while (!in.AtEnd()) {
    // Most fields are series, one after the other.
    if (in.At<Tag(4, Type::kBytes)>()) {
      std::string_view bytes;
      if (!in.Bytes(bytes) || !ReadSeries(wire::Reader(bytes))) return false;
      continue;
    }
    std::uint32_t tag = 0;
    if (!in.Tag(tag) || !ReadBatchField(tag, in)) return false;
  }
  return true;
}

bool BatchReader::ReadBatchField(std::uint32_t tag, wire::Reader& in) {
  std::uint64_t number = 0;
  std::string_view bytes;
  switch (tag) {
    case Tag(1, Type::kBytes):
      return ReadText(in, service_);
    case Tag(2, Type::kVarint):
      if (!in.Varint(number)) return false;
      protocol_ = static_cast<std::int32_t>(number);
      return true;
    case Tag(3, Type::kBytes):
      return ReadText(in, strings_.emplace_back());
    case Tag(4, Type::kBytes):
      return in.Bytes(bytes) && ReadSeries(wire::Reader(bytes));
    case Tag(5, Type::kVarint):
      if (!in.Varint(number)) return false;
      base_time_ms_ = wire::ZigZag(number);
      return true;
    case Tag(10, Type::kBytes):
      return in.Bytes(bytes) && ReadHistogram(wire::Reader(bytes));
    default:
      return ReadColumn(tag, in);
  }
}

bool BatchReader::ReadColumn(std::uint32_t tag, wire::Reader& in) {
  const Type type = wire::TypeOf(tag);
  switch (tag) {
    case Tag(6, Type::kBytes):
    case Tag(6, Type::kVarint):
      return ReadNumbers(type, in, point_series_, ToUint32);
    case Tag(7, Type::kBytes):
    case Tag(7, Type::kVarint):
      return ReadNumbers(type, in, point_time_delta_ms_, wire::ZigZag);
    case Tag(8, Type::kBytes):
    case Tag(8, Type::kVarint):
      return ReadNumbers(type, in, point_duration_ms_, ToUint64);
    case Tag(9, Type::kBytes):
    case Tag(9, Type::kFixed64):
      return ReadDoubles(type, in, point_value_);
    default:
      return in.Skip(tag, kInBody);
  }
}

bool BatchReader::ReadSeries(wire::Reader in) {
  engine::SeriesView& view = series_.emplace_back();
  Entry& entry = entries_.emplace_back();
  // As every writer writes it, each field at most once and in order; what is left is read below.
  if ((in.At<Tag(1, Type::kFixed64)>() && !in.Fixed64(view.fingerprint.hi)) ||
      (in.At<Tag(2, Type::kFixed64)>() && !in.Fixed64(view.fingerprint.lo)) ||
      (in.At<Tag(3, Type::kVarint)>() && !in.Varint(entry.kind)) ||
      (in.At<Tag(4, Type::kVarint)>() && !ReadUint32(in, entry.metric)) ||
      (in.At<Tag(5, Type::kVarint)>() && !ReadUint32(in, entry.unit)) ||
      (in.At<Tag(6, Type::kBytes)>() && !in.Bytes(view.labels))) {
    return false;
  }
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    bool read = in.Tag(tag);
    if (!read) return false;
    switch (tag) {
      case Tag(1, Type::kFixed64):
        read = in.Fixed64(view.fingerprint.hi);
        break;
      case Tag(2, Type::kFixed64):
        read = in.Fixed64(view.fingerprint.lo);
        break;
      case Tag(3, Type::kVarint):
        read = in.Varint(entry.kind);
        break;
      case Tag(4, Type::kVarint):
        read = ReadUint32(in, entry.metric);
        break;
      case Tag(5, Type::kVarint):
        read = ReadUint32(in, entry.unit);
        break;
      case Tag(6, Type::kBytes):
        read = in.Bytes(view.labels);
        break;
      default:
        read = in.Skip(tag, kInPart);
        break;
    }
    if (!read) return false;
  }
  return true;
}

bool BatchReader::ReadHistogram(wire::Reader in) {
  engine::HistogramView& view = histograms_.emplace_back();
  counts_.push_back({bounds_.size(), buckets_.size()});
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    bool read = in.Tag(tag);
    if (!read) return false;
    std::uint64_t number = 0;
    switch (tag) {
      case Tag(1, Type::kVarint):
        read = ReadUint32(in, view.series);
        break;
      case Tag(2, Type::kVarint):
        read = in.Varint(number);
        view.time_delta_ms = wire::ZigZag(number);
        break;
      case Tag(3, Type::kVarint):
        read = in.Varint(view.duration_ms);
        break;
      case Tag(4, Type::kVarint):
        read = in.Varint(view.count);
        break;
      case Tag(5, Type::kFixed64):
        read = in.Double(view.sum);
        break;
      default:
        read = ReadHistogramColumn(tag, in);
        break;
    }
    if (!read) return false;
  }
  return true;
}

bool BatchReader::ReadHistogramColumn(std::uint32_t tag, wire::Reader& in) {
  const Type type = wire::TypeOf(tag);
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

Status BatchReader::CheckSeries() {
  constexpr auto kFirst = static_cast<std::int32_t>(engine::SeriesKind::kCounterDelta);
  constexpr auto kLast = static_cast<std::int32_t>(engine::SeriesKind::kHistogramCumulative);
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.metric >= strings_.size() || entry.unit >= strings_.size()) {
      return Malformed("a series names string " +
                       std::to_string(std::max(entry.metric, entry.unit)) + " of " +
                       std::to_string(strings_.size()));
    }
    const auto kind = static_cast<std::int32_t>(entry.kind);
    if (kind < kFirst || kind > kLast) {
      return Malformed("series kind " + std::to_string(kind) + " is not known");
    }
    series_[i].kind = static_cast<engine::SeriesKind>(kind);
    series_[i].metric = strings_[entry.metric];
    series_[i].unit = strings_[entry.unit];
  }
  return {};
}

Status BatchReader::CheckHistograms() {
  for (std::size_t i = 0; i < histograms_.size(); ++i) {
    engine::HistogramView& view = histograms_[i];
    const bool last = i + 1 == histograms_.size();
    const std::size_t bounds_end = last ? bounds_.size() : counts_[i + 1].bounds;
    const std::size_t buckets_end = last ? buckets_.size() : counts_[i + 1].buckets;
    // Only now: the arrays moved while they grew.
    view.bounds = bounds_.All().subspan(counts_[i].bounds, bounds_end - counts_[i].bounds);
    view.bucket_counts =
        buckets_.All().subspan(counts_[i].buckets, buckets_end - counts_[i].buckets);
    if (view.series >= series_.size()) return Malformed("a histogram names an unknown series");
    if (view.bucket_counts.size() != view.bounds.size() + 1) {
      return Malformed("a histogram has " + std::to_string(view.bucket_counts.size()) +
                       " buckets for " + std::to_string(view.bounds.size()) + " bounds");
    }
    for (std::size_t b = 0; b < view.bounds.size(); ++b) {
      if (!std::isfinite(view.bounds[b]) || (b > 0 && view.bounds[b] <= view.bounds[b - 1])) {
        return Malformed("the bounds of a histogram do not ascend");
      }
    }
    if (!Sane(view.time_delta_ms) || !Sane(view.duration_ms)) {
      return Malformed("a histogram's time is out of range");
    }
  }
  return {};
}

Result<engine::BatchView> BatchReader::Check() {
  if (service_.empty()) return Malformed("no service");
  const std::size_t points = point_series_.size();
  if (point_time_delta_ms_.size() != points || point_value_.size() != points ||
      (point_duration_ms_.size() != 0 && point_duration_ms_.size() != points)) {
    return Malformed("its columns differ in length");
  }
  if (!Sane(base_time_ms_)) return Malformed("its base time is out of range");
  if (Status s = CheckSeries(); !s.ok()) return s.error();
  if (Status s = CheckHistograms(); !s.ok()) return s.error();
  std::uint32_t highest = 0;
  for (const std::uint32_t index : point_series_.All()) highest = std::max(highest, index);
  if (points > 0 && highest >= series_.size()) return Malformed("a point names an unknown series");
  if (!AllSane(point_time_delta_ms_.All())) return Malformed("a point's time is out of range");
  if (!AllSane(point_duration_ms_.All())) return Malformed("a point's duration is out of range");
  engine::BatchView view;
  view.service = service_;
  view.protocol = protocol_ == static_cast<std::int32_t>(engine::Protocol::kOtlp)
                      ? engine::Protocol::kOtlp
                      : engine::Protocol::kNative;
  view.series = series_;
  view.base_time_ms = base_time_ms_;
  view.point_series = point_series_.All();
  view.point_time_delta_ms = point_time_delta_ms_.All();
  view.point_duration_ms = point_duration_ms_.All();
  view.point_value = point_value_.All();
  view.histograms = histograms_;
  return view;
}

}  // namespace liveops::evaluation
