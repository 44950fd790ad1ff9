#include <fmt/format.h>

#include <algorithm>

#include "common/base/spread.h"
#include "common/base/text.h"
#include "common/plan/log_count.h"
#include "common/plan/plan_reader.h"

namespace liveops::plan {
namespace {

std::vector<std::string> LevelNames() {
  std::vector<std::string> names;
  for (const LogLevel level : kLogLevels) {
    if (level != LogLevel::kUnknown) names.emplace_back(LogLevelName(level));
  }
  return names;
}

// A metric that a condition can name, and that nothing else makes.
std::string CountNameFault(const std::string& name) {
  if (name == kLogEvents || name == kLogSlowQueries)
    return "it is counted of every service's lines already";
  const auto parsed = ParseSeries(name);
  if (!parsed.value || parsed.value->metric != name || !parsed.value->matches.empty() ||
      !parsed.value->service.empty() || name.size() > 100) {
    return "the name of a metric is one word of at most 100 characters, such as payment_errors";
  }
  return "";
}

std::string MatchFault(const std::string& match) {
  if (match.size() > LogCount::kMatchBytesMax) {
    return fmt::format("a match has at most {} bytes", LogCount::kMatchBytesMax);
  }
  if (std::all_of(match.begin(), match.end(), [](char c) { return c == '*' || c == ' '; })) {
    return fmt::format("it holds nothing to look for; every line is counted as {} already",
                       kLogEvents);
  }
  return IsPlainText(match) ? "" : "a match is text without control characters";
}

}  // namespace

void PlanReader::ReadLogs(const YamlNode* node) {
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kList) {
    problems_.Add(*node, fmt::format("logs is {}, expected a list", KindName(node->kind)));
    return;
  }
  if (node->items.size() > LogCount::kCountsMax) {
    problems_.Add(*node, fmt::format("logs has {} counts, at most {} are taken", node->items.size(),
                                     LogCount::kCountsMax));
    return;
  }
  for (const YamlNode& item : node->items) ReadLogCount(item);
}

void PlanReader::ReadLogCount(const YamlNode& node) {
  Fields fields(node, "a count of log lines", problems_);
  if (!fields.valid()) return;
  LogCount count;
  if (const YamlNode* name = fields.Scalar("name", true)) {
    count.name = name->scalar;
    fields.Rename(fmt::format("log count \"{}\"", Truncate(count.name, 60)));
    if (const std::string fault = CountNameFault(count.name); !fault.empty()) {
      problems_.Add(*name, fmt::format("log count \"{}\": {}", Truncate(count.name, 60), fault));
    }
    const auto [first, fresh] = log_offsets_.emplace(count.name, name->offset);
    if (!fresh) {
      problems_.Add(*name, fmt::format("log count \"{}\" is defined twice, first in line {}, "
                                       "again in line {}",
                                       Truncate(count.name, 60), problems_.LineOf(first->second),
                                       problems_.LineOf(name->offset)));
    }
  }
  if (const YamlNode* match = fields.Scalar("match", true)) {
    count.match = match->scalar;
    if (const std::string fault = MatchFault(count.match); !fault.empty())
      problems_.Add(*match, fmt::format("match is \"{}\": {}", Truncate(count.match, 60), fault));
  }
  if (const YamlNode* level = fields.Scalar("level")) {
    count.level = ParseLogLevel(level->scalar);
    if (!count.level) {
      problems_.Add(*level, fmt::format("unknown level \"{}\"{}", Truncate(level->scalar, 40),
                                        Suggestion(level->scalar, LevelNames())));
    }
  }
  fields.Refuse({{"regex", "regular expressions; match takes characters and *"},
                 {"by", "counts by a part of the message"},
                 {"endpoint", "counts of one endpoint"}});
  fields.Finish();
  logs_.push_back(std::move(count));
}

std::vector<LogCount> ParseLogCounts(std::string_view yaml) {
  ProblemList problems(yaml);
  const YamlNode root = ReadYaml(yaml, problems);
  PlanReader reader(problems, kSpreadMax);
  reader.Read(root);
  return problems.empty() ? reader.TakeLogCounts() : std::vector<LogCount>();
}

}  // namespace liveops::plan
