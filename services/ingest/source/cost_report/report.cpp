#include "services/ingest/source/cost_report/report.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "common/base/labels.h"
#include "common/base/text.h"
#include "services/ingest/source/alert/json_reading.h"
#include "services/ingest/source/cost_report/columns.h"
#include "services/ingest/source/cost_report/csv.h"

namespace liveops::ingest::cost {
namespace {

constexpr std::string_view kTagPrefix = "tag:";
constexpr const char* kCostMetric = "cost";
constexpr const char* kUsageMetric = "cost_usage";
constexpr std::array<std::pair<std::string_view, Column>, 6> kLabelNames = {{
    {"account", Column::kAccount},
    {"product", Column::kProduct},
    {"region", Column::kRegion},
    {"charge", Column::kCharge},
    {"usage_type", Column::kUsageType},
    {"resource", Column::kResource},
}};
constexpr std::size_t kFoundBytesMax = 60;

std::optional<double> Number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

// "2026-11-26T13:00:00Z"; CUR 2.0 also writes "2026-11-26 13:00:00.000", and means UTC.
std::optional<std::int64_t> TimeMs(std::string_view text) {
  std::string written(text);
  if (written.size() > 10 && written[10] == ' ') written[10] = 'T';
  if (const auto time = source::ReadTime(written)) return ToMs(*time);
  const auto time = source::ReadTime(written + "Z");
  return time ? std::optional(ToMs(*time)) : std::nullopt;
}

struct SeriesKey {
  std::string service;
  std::string metric;
  std::string unit;
  Labels labels;
  auto Order() const { return std::tie(service, metric, unit, labels); }
  bool operator<(const SeriesKey& other) const { return Order() < other.Order(); }
};

struct Period {
  double sum = 0;
  std::int64_t length_ms = 0;
};

class Reader {
 public:
  Reader(const ReportSettings& settings, std::string_view service, RealTime now)
      : settings_(settings),
        service_(service.empty() ? settings.service : service),
        now_ms_(ToMs(now)) {
    out_.base = now;
  }

  Status Read(std::string_view text) {
    CsvReader csv(text);
    if (!csv.Next()) return InvalidError("the report is empty");
    if (!csv.problem().empty()) return InvalidError("line 1: " + std::string(csv.problem()));
    header_.assign(csv.fields().begin(), csv.fields().end());
    const std::vector<std::string_view> names(header_.begin(), header_.end());
    std::vector<std::string> tags = {settings_.tag};
    for (const std::string& label : settings_.labels) {
      if (label.starts_with(kTagPrefix)) tags.push_back(label.substr(kTagPrefix.size()));
    }
    Result<Columns> columns = Columns::Of(names, tags);
    if (!columns) return columns.error();
    columns_ = *std::move(columns);
    while (csv.Next()) {
      // Files that were put one behind the other have their header again.
      if (std::equal(csv.fields().begin(), csv.fields().end(), header_.begin(), header_.end()))
        continue;
      ++out_.lines;
      if (!csv.problem().empty()) {
        Bad(csv.line(), std::string(csv.problem()));
      } else if (csv.fields().size() != columns_.size()) {
        Bad(csv.line(), "it has " + std::to_string(csv.fields().size()) + " fields, expected " +
                            std::to_string(columns_.size()) + " as in the first line");
      } else {
        Line(csv.line(), csv.fields());
      }
    }
    return {};
  }

  Report Take() {
    admit::BatchBuilder* batch = nullptr;
    for (const auto& [key, periods] : series_) {
      std::optional<std::uint32_t> series;
      for (const auto& [end_ms, period] : periods) {
        if (batch == nullptr || batch->service() != key.service ||
            batch->bytes() > settings_.batch_bytes) {
          batch =
              out_.batches.emplace_back(std::make_unique<admit::BatchBuilder>(key.service)).get();
          series.reset();
        }
        if (!series) {
          series = batch->Series(admit::SeriesKind::kObservation, key.metric, key.unit, key.labels);
        }
        batch->Point(*series, period.sum, static_cast<std::uint64_t>(period.length_ms),
                     end_ms - now_ms_);
      }
    }
    return std::move(out_);
  }

 private:
  using Fields = std::vector<std::string_view>;

  void Bad(std::size_t line, const std::string& why) {
    ++out_.bad;
    if (out_.problems.size() < Report::kProblemsMax)
      out_.problems.push_back("line " + std::to_string(line) + ": " + why);
  }
  void Bad(std::size_t line, Column column, std::string_view found, const char* expected) {
    Bad(line, columns_.name(column) + " is \"" + ScrubUtf8(Truncate(found, kFoundBytesMax)) +
                  "\", expected " + expected);
  }

  void Line(std::size_t line, const Fields& fields) {
    constexpr const char* kTimeForm = "a time such as 2026-11-26T13:00:00Z";
    const auto text = [&](Column column) { return columns_.Text(column, fields); };
    const auto start_ms = TimeMs(text(Column::kStart));
    if (!start_ms) return Bad(line, Column::kStart, text(Column::kStart), kTimeForm);
    const auto end_ms = TimeMs(text(Column::kEnd));
    if (!end_ms) return Bad(line, Column::kEnd, text(Column::kEnd), kTimeForm);
    if (*end_ms < *start_ms)
      return Bad(line, Column::kEnd, text(Column::kEnd), "a time after the period's start");
    const auto cost = Number(text(Column::kCost));
    if (!cost) return Bad(line, Column::kCost, text(Column::kCost), "a number");
    std::optional<double> usage;
    if (const std::string_view amount = text(Column::kUsage); !amount.empty()) {
      usage = Number(amount);
      if (!usage) return Bad(line, Column::kUsage, amount, "a number, or nothing");
    }
    if (*end_ms <= now_ms_ - settings_.past.count()) {
      ++out_.old;
      return;
    }
    if (*end_ms > now_ms_ - settings_.settled_after.count()) {
      ++out_.unsettled;
      return;
    }
    ++out_.taken;
    SeriesKey key{ServiceOf(fields), kCostMetric, CurrencyOf(text(Column::kCurrency)),
                  LabelsOf(fields)};
    Add(key, *start_ms, *end_ms, *cost);
    if (!usage) return;
    key.metric = kUsageMetric;
    key.unit.clear();
    SetLabel(key.labels, "usage_type", text(Column::kUsageType));
    SetLabel(key.labels, "unit", text(Column::kUsageUnit));
    Add(key, *start_ms, *end_ms, *usage);
  }

  void Add(const SeriesKey& key, std::int64_t start_ms, std::int64_t end_ms, double amount) {
    Period& period = series_[key][end_ms];
    period.sum += amount;
    period.length_ms = std::max(period.length_ms, end_ms - start_ms);
  }

  std::string ServiceOf(const Fields& fields) const {
    std::string tagged = columns_.Tag(settings_.tag, fields);
    if (!tagged.empty()) return tagged;
    const auto found =
        settings_.services.find(std::string(columns_.Text(Column::kProduct, fields)));
    return found == settings_.services.end() ? service_ : found->second;
  }

  static std::string CurrencyOf(std::string_view text) {
    return text.empty() ? "USD" : std::string(text);
  }

  Labels LabelsOf(const Fields& fields) const {
    Labels out;
    for (const std::string& label : settings_.labels) {
      if (label.starts_with(kTagPrefix)) {
        const std::string tag = label.substr(kTagPrefix.size());
        SetLabel(out, tag, columns_.Tag(tag, fields));
        continue;
      }
      for (const auto& [name, column] : kLabelNames) {
        if (name == label) SetLabel(out, name, columns_.Text(column, fields));
      }
    }
    return out;
  }

  static void SetLabel(Labels& labels, std::string_view name, std::string_view value) {
    if (!value.empty()) labels.Set(name, value);
  }

  const ReportSettings& settings_;
  const std::string service_;
  const std::int64_t now_ms_;
  std::vector<std::string> header_;
  Columns columns_;
  std::map<SeriesKey, std::map<std::int64_t, Period>> series_;
  Report out_;
};

}  // namespace

std::string LabelFault(std::string_view label) {
  if (label.starts_with(kTagPrefix)) return label == kTagPrefix ? "tag: names no tag" : "";
  std::string names;
  for (const auto& [name, column] : kLabelNames) {
    if (name == label) return "";
    names += std::string(name) + ", ";
  }
  return "\"" + std::string(label) + "\" is no label of a cost, expected " + names + "tag:NAME";
}

std::vector<admit::BatchInput> Report::inputs() const {
  std::vector<admit::BatchInput> out;
  for (const auto& batch : batches) out.push_back(batch->Input(base));
  return out;
}

std::size_t Report::bytes() const {
  std::size_t sum = 0;
  for (const auto& batch : batches) sum += batch->bytes();
  return sum;
}

Result<Report> ReadReport(std::string_view text, const ReportSettings& settings,
                          std::string_view service, RealTime now) {
  Reader reader(settings, service, now);
  if (const Status s = reader.Read(text); !s) return s.error();
  return reader.Take();
}

std::string Answer(const Report& report, std::uint64_t points,
                   const std::vector<admit::Rejection>& refused) {
  source::Json json = {{"lines", report.lines}, {"taken", report.taken},
                       {"old", report.old},     {"unsettled", report.unsettled},
                       {"bad", report.bad},     {"points", points}};
  if (!report.problems.empty()) json["problems"] = report.problems;
  for (const admit::Rejection& rejection : refused) {
    json["refused"].push_back({{"reason", admit::RefusalWord(rejection.reason)},
                               {"points", rejection.points},
                               {"example", rejection.example}});
  }
  return json.dump(-1, ' ', false, source::Json::error_handler_t::replace) + "\n";
}

}  // namespace liveops::ingest::cost
