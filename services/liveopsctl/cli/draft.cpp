#include "services/liveopsctl/cli/draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "services/liveopsctl/cli/describe.h"
#include "services/liveopsctl/cli/values.h"

namespace liveops::ctl {

void BuildSend(Draft& d) {
  Send send;
  send.service = d.send.service;
  send.unit = d.send.unit;
  send.count = d.send.count;
  const auto take = [&d](auto result, auto& into) {
    if (result.ok()) {
      into = std::move(*result);
    } else if (d.problem.empty()) {
      d.problem = result.error().message;
    }
  };
  for (const std::string& text : d.send.samples)
    take(ParseSample(text), send.samples.emplace_back());
  for (const std::string& text : d.send.labels) take(ParseLabel(text), send.labels.emplace_back());
  take(ParseSampleKind(d.send.kind), send.kind);
  if (!d.send.every.empty()) take(ParseDuration(d.send.every), send.every);
  if (!d.send.time.empty()) take(ParseRfc3339(d.send.time), send.time_unix_ms.emplace());
  if (d.problem.empty() && !d.send.every.empty() && send.every.count() < 10) {
    d.problem = "--every: at least 10ms";
  }
  if (d.problem.empty() && send.count > 0 && send.every.count() == 0)
    d.problem = "--count needs --every";
  if (d.problem.empty() && send.time_unix_ms && send.every.count() > 0) {
    d.problem = "--time and --every exclude each other: with --every each sending is stamped now";
  }
  d.command = std::move(send);
}

void CheckDraft(Draft& d) {
  if (!d.problem.empty()) return;
  if (!d.timeout.empty()) {
    const Result<Duration> timeout = ParseDuration(d.timeout);
    if (!timeout.ok()) {
      d.problem = "--timeout: " + timeout.error().message;
    } else if (timeout->count() <= 0) {
      d.problem = "--timeout: it must be longer than 0";
    } else {
      d.globals.timeout = *timeout;
    }
  }
  const auto check = [&d](const char* what, const std::string& word, const char* choices) {
    const std::vector<std::string>& known = Choices().at(choices);
    if (!d.problem.empty() || std::find(known.begin(), known.end(), word) != known.end()) return;
    d.problem = fmt::format("unknown {} \"{}\"{}", what, word, Suggestion(word, known));
  };
  if (const auto* completion = std::get_if<Completion>(&*d.command)) {
    check("shell", completion->shell, "SHELL");
  }
  if (auto* explain = std::get_if<AlarmsExplain>(&*d.command); explain && !d.explain_at.empty()) {
    const Result<std::int64_t> at = ParseRfc3339(d.explain_at);
    if (at.ok()) explain->at_ms = *at;
    if (!at.ok() && d.problem.empty()) d.problem = "--at: " + at.error().message;
  }
  const auto labels = [&d](const std::vector<std::string>& texts, auto& into) {
    for (const std::string& text : texts) {
      const auto label = ParseLabel(text);
      if (label.ok()) into.push_back(*label);
      if (!label.ok() && d.problem.empty()) d.problem = "--label: " + label.error().message;
    }
  };
  if (auto* tail = std::get_if<Tail>(&*d.command)) labels(d.tail_labels, tail->labels);
  if (auto* stopped = std::get_if<Decommission>(&*d.command)) {
    labels(d.decommission_labels, stopped->labels);
  }
  if (auto* logs = std::get_if<Logs>(&*d.command); logs && !d.logs_level.empty()) {
    check("level", d.logs_level, "--level");
    logs->level = ParseLogLevel(d.logs_level).value_or(LogLevel::kUnknown);
  }
  const auto source = [&d](PlayedSource& into, SourceUse use) {
    const Status read = ReadSource(d.played, use, into);
    if (d.problem.empty() && !read.ok()) d.problem = read.error().message;
  };
  if (auto* live = std::get_if<PlanCheck>(&*d.command)) {
    source(live->source, live->live ? SourceUse::kLive : SourceUse::kNone);
  }
  if (auto* backtest = std::get_if<PlanBacktest>(&*d.command))
    source(backtest->source, SourceUse::kBacktest);
  if (auto* diff = std::get_if<PlanDiff>(&*d.command)) source(diff->source, SourceUse::kDiff);
  if (const auto* status = std::get_if<ShowStatus>(&*d.command)) {
    if (!status->only.empty()) check("service", status->only, "--only");
  }
  if (const auto* show = std::get_if<PlanShow>(&*d.command)) {
    if (show->service.empty() && show->version != 0)
      d.problem = "plan show: --version needs a SERVICE";
  }
}

}  // namespace liveops::ctl
