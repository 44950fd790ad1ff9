#include "services/liveopsctl/rehearse/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "services/liveopsctl/rehearse/notation.h"
#include "services/liveopsctl/rehearse/test_file.h"

namespace liveops::rehearse {
namespace {

using nlohmann::json;

constexpr std::size_t kLineMax = 8u << 20;
constexpr std::size_t kPointsMax = 100'000;  // of a batch
constexpr std::size_t kBoundsMax = 1000;
constexpr std::int64_t kCoversMax = 86'400'000;
constexpr std::int64_t kTimeMax = std::int64_t{1} << 50;

constexpr const char* kNoHeader =
    "expected the first line of a recording: {\"recording\": 1, \"about\": …}";

// Thrown from inside a line, caught where it is read.
struct Bad {
  std::string message;
};

const char* TypeName(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return "a text";
    case json::value_t::boolean:
      return "true or false";
    default:
      return "a number";
  }
}

// One object; what nobody asked for is a fault.
class Object {
 public:
  Object(const json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object.is_object())
      throw Bad{fmt::format("{} is {}, expected an object", path_, TypeName(object))};
  }

  std::string PathOf(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }
  const json* Find(const char* name) {
    known_.emplace_back(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  const json& Need(const char* name) {
    const json* found = Find(name);
    if (found == nullptr) throw Bad{fmt::format("{} is missing", PathOf(name))};
    return *found;
  }
  std::string Text(const char* name, bool required = false) {
    const json* found = required ? &Need(name) : Find(name);
    if (found == nullptr) return "";
    if (!found->is_string()) Wrong(name, *found, "a text");
    return found->get<std::string>();
  }
  double Number(const char* name) { return NumberOf(Need(name), PathOf(name)); }
  Duration Covers() {
    const json* found = Find("covers_ms");
    if (found == nullptr) return Duration(0);
    if (!found->is_number_unsigned() || found->get<std::int64_t>() > kCoversMax)
      Wrong("covers_ms", *found, "a whole number of milliseconds, at most a day");
    return Duration(found->get<std::int64_t>());
  }
  Instant At() {
    const json& at = Need("at");
    if (at.is_number_integer()) {
      const auto ms = at.get<std::int64_t>();
      if (ms > 0 && ms < kTimeMax) return InstantFromMs(ms);
    } else if (at.is_string()) {
      const auto text = at.get<std::string>();
      const auto ms = ParseUtc(text);
      // Read again as it would be written: there is no 31st of February.
      if (ms && *ms > 0 && *ms < kTimeMax && FormatUtc(*ms).substr(0, 19) == text.substr(0, 19))
        return InstantFromMs(*ms);
    }
    Wrong("at", at, "a time such as \"2026-03-01T10:00:05Z\", or milliseconds since 1970");
  }
  void Finish() const {
    for (const auto& [name, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      throw Bad{fmt::format("unknown key \"{}\"{}", Truncate(PathOf(name), 60),
                            Suggestion(name, known_))};
    }
  }
  [[noreturn]] void Wrong(std::string_view name, const json& value, const char* expected) const {
    const std::string found = value.is_structured() ? TypeName(value) : value.dump();
    throw Bad{fmt::format("{} is {}, expected {}", PathOf(name), Truncate(found, 40), expected)};
  }
  static double NumberOf(const json& value, const std::string& path) {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      throw Bad{fmt::format("{} is {}, expected a number", path, TypeName(value))};
    return value.get<double>();
  }

 private:
  const json& object_;
  std::string path_;
  std::vector<std::string> known_;
};

Labels LabelsOf(const json& value, const std::string& path) {
  Labels labels;
  if (!value.is_object())
    throw Bad{fmt::format("{} is {}, expected an object", path, TypeName(value))};
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string())
      throw Bad{fmt::format("{}.{} is {}, expected a text", path, name, TypeName(text))};
    labels.Set(name, text.get<std::string>());
  }
  return labels;
}

const json& ListOf(Object& object, const char* name, std::size_t size_max) {
  const json& list = object.Need(name);
  if (!list.is_array()) object.Wrong(name, list, "a list");
  if (list.size() > size_max) {
    throw Bad{fmt::format("{} has {} entries, expected at most {}", object.PathOf(name),
                          list.size(), size_max)};
  }
  return list;
}

void ReadBounds(Object& object, RecordedPoint& point) {
  for (const json& bound : ListOf(object, "bounds", kBoundsMax)) {
    point.bounds.push_back(Object::NumberOf(bound, object.PathOf("bounds")));
    if (point.bounds.size() > 1 && point.bounds.back() <= point.bounds[point.bounds.size() - 2])
      throw Bad{fmt::format("{} do not rise", object.PathOf("bounds"))};
  }
  if (point.bounds.empty()) throw Bad{fmt::format("{} is empty", object.PathOf("bounds"))};
}

void SetCounts(const json& list, const std::string& path, RecordedPoint& point) {
  if (!list.is_array())
    throw Bad{fmt::format("{} is {}, expected a list of counts", path, TypeName(list))};
  for (const json& count : list) {
    if (!count.is_number_unsigned())
      throw Bad{fmt::format("{} has {}, expected whole numbers that are not negative", path,
                            Truncate(count.dump(), 40))};
    point.counts.push_back(count.get<std::uint64_t>());
  }
  if (point.counts.size() != point.bounds.size() + 1) {
    throw Bad{
        fmt::format("{} has {} entries for {} bounds, expected one for each bound and one "
                    "for what lies above the last",
                    path, point.counts.size(), point.bounds.size())};
  }
  Sample sample;
  sample.bounds = point.bounds;
  sample.counts = point.counts;
  point.sum = sample.Sum();
}

// What a point is, without what it says.
RecordedPoint SeriesOf(Object& object) {
  RecordedPoint point;
  point.metric = object.Text("metric", true);
  if (point.metric.empty()) throw Bad{fmt::format("{} is empty", object.PathOf("metric"))};
  const std::string kind = object.Text("kind", true);
  const auto known = KindOf(kind);
  if (!known) {
    throw Bad{fmt::format("{}: unknown kind \"{}\"{}", object.PathOf("kind"), Truncate(kind, 40),
                          Suggestion(kind, KindWords()))};
  }
  point.kind = *known;
  point.unit = object.Text("unit");
  if (const json* labels = object.Find("labels"))
    point.labels = LabelsOf(*labels, object.PathOf("labels"));
  if (point.histogram()) ReadBounds(object, point);
  return point;
}

// What a whole batch says that it covers holds for what counts up.
void SetCovers(RecordedPoint& point, Duration covers) {
  const bool delta = point.kind == engine::SeriesKind::kCounterDelta ||
                     point.kind == engine::SeriesKind::kHistogramDelta;
  if (point.covers == Duration(0) && delta) point.covers = covers;
}

RecordedPoint PointOf(const json& value, const std::string& path, Duration covers) {
  Object object(value, path);
  RecordedPoint point = SeriesOf(object);
  point.covers = object.Covers();
  SetCovers(point, covers);
  if (point.histogram()) {
    SetCounts(object.Need("counts"), object.PathOf("counts"), point);
    if (object.Find("sum") != nullptr) point.sum = object.Number("sum");
  } else {
    point.value = object.Number("value");
  }
  object.Finish();
  return point;
}

RecordingHeader HeaderOf(Object& object) {
  const json& version = object.Need("recording");
  if (!version.is_number_integer() || version.get<std::int64_t>() != 1)
    object.Wrong("recording", version, "1, the one form that this build reads");
  RecordingHeader header;
  header.about = object.Text("about");
  header.made_by = object.Text("made_by");
  header.service = object.Text("service");
  header.covers = object.Covers();
  if (object.Find("series") != nullptr) {
    for (const json& one : ListOf(object, "series", kPointsMax)) {
      Object series(one, fmt::format("series[{}]", header.series.size()));
      header.series.push_back(SeriesOf(series));
      series.Finish();
    }
  }
  object.Finish();
  return header;
}

Mark MarkOf(Object& object) {
  Mark mark;
  mark.text = object.Text("mark", true);
  mark.at = object.At();
  object.Finish();
  return mark;
}

void ReadValues(Object& object, const RecordingHeader& header, Duration covers,
                RecordedBatch& batch) {
  const json& values = ListOf(object, "values", kPointsMax);
  if (values.size() != header.series.size()) {
    throw Bad{
        fmt::format("values has {} entries, expected one for each of the {} series that the "
                    "first line names",
                    values.size(), header.series.size())};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null()) continue;
    const std::string path = fmt::format("values[{}]", i);
    RecordedPoint& point = batch.points.emplace_back(header.series[i]);
    SetCovers(point, covers);
    if (point.histogram()) {
      SetCounts(values[i], path, point);
    } else {
      point.value = Object::NumberOf(values[i], path);
    }
  }
}

RecordedBatch BatchOf(Object& object, const RecordingHeader& header) {
  RecordedBatch batch;
  batch.at = object.At();
  batch.service = object.Text("service");
  if (batch.service.empty()) batch.service = header.service;
  if (batch.service.empty()) throw Bad{"service is missing, here and in the first line"};
  Duration covers = object.Covers();
  if (covers == Duration(0)) covers = header.covers;
  const bool values = object.Find("values") != nullptr;
  if (values) ReadValues(object, header, covers, batch);
  if (!values || object.Find("points") != nullptr) {
    const json& points = ListOf(object, "points", kPointsMax);
    for (std::size_t i = 0; i < points.size(); ++i)
      batch.points.push_back(PointOf(points[i], fmt::format("points[{}]", i), covers));
  }
  object.Finish();
  return batch;
}

}  // namespace

std::optional<plan::Problem> RecordingReader::Read(std::string_view text, RecordedLine& line) {
  ++number_;
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (Trim(text).empty()) {
    line = std::monostate{};
    return std::nullopt;
  }
  if (text.size() > kLineMax)
    return plan::Problem{number_, 1, fmt::format("a line of more than {} bytes", kLineMax)};
  try {
    const json value = json::parse(text);
    Object object(value, "");
    if (!header_) {
      if (!value.contains("recording")) throw Bad{kNoHeader};
      header_ = HeaderOf(object);
      line = *header_;
    } else if (value.contains("mark")) {
      line = MarkOf(object);
    } else {
      RecordedBatch batch = BatchOf(object, *header_);
      if (last_ && batch.at < *last_) {
        throw Bad{fmt::format("at goes back from {} to {}: a recording goes forward in time",
                              FormatUtc(ToMs(*last_)), FormatUtc(ToMs(batch.at)))};
      }
      last_ = batch.at;
      line = std::move(batch);
    }
  } catch (const json::parse_error& e) {
    if (!header_) return plan::Problem{number_, 1, kNoHeader};
    return plan::Problem{number_, static_cast<int>(e.byte),
                         "not a line of JSON: here something else is expected"};
  } catch (const json::exception& e) {
    return plan::Problem{number_, 1, fmt::format("cannot be read: {}", ScrubUtf8(e.what()))};
  } catch (const Bad& e) {
    return plan::Problem{number_, 1, e.message};
  }
  return std::nullopt;
}

std::optional<plan::Problem> RecordingReader::End() const {
  if (!header_) return plan::Problem{1, 1, "the recording is empty"};
  if (!last_) return plan::Problem{number_, 1, "the recording has no batch of points"};
  return std::nullopt;
}

}  // namespace liveops::rehearse
