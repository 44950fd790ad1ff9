#include "services/liveopsctl/render/rehearsal_parts.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

using rehearse::Discrepancy;

const char* KindName(Discrepancy::Kind kind) {
  switch (kind) {
    case Discrepancy::Kind::kTransition:
      return "transition";
    case Discrepancy::Kind::kPage:
      return "page";
    case Discrepancy::Kind::kLook:
      return "state";
  }
  return "";
}

}  // namespace

std::string RenderDiscrepancies(const std::vector<Discrepancy>& discrepancies, std::size_t margin,
                                const Style& style) {
  Table table({"", "ALARM", "EXPECTED", "GOT"});
  for (const Discrepancy& d : discrepancies) {
    table.Row({KindName(d.kind), d.alarm, d.expected.empty() ? "nothing" : d.expected,
               Cell(d.got.empty() ? "nothing" : d.got, Tone::kWarning)});
  }
  std::string out = Indented(table.ToString(style), margin);
  std::string last;
  for (const Discrepancy& d : discrepancies) {
    if (d.explanation.empty() || d.explanation == last) continue;
    last = d.explanation;
    out += Indented(Paint(style, Tone::kDim, PrintableLines(d.explanation)), margin);
  }
  return out;
}

nlohmann::ordered_json DiscrepanciesJson(const std::vector<Discrepancy>& discrepancies) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Discrepancy& d : discrepancies) {
    all.push_back({{"kind", KindName(d.kind)},
                   {"line", d.line},
                   {"at_ms", d.at.count()},
                   {"alarm", d.alarm},
                   {"expected", d.expected},
                   {"got", d.got},
                   {"explanation", d.explanation}});
  }
  return all;
}

std::string Indented(std::string_view text, std::size_t margin) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::string out;
  for (const std::string_view line : Split(text, '\n'))
    out.append(margin, ' ').append(line).append("\n");
  return out;
}

std::string RenderLogSpan(const rehearse::BacktestReport& report, const Style& style) {
  if (!report.log) return "";
  const rehearse::LogSpan& span = *report.log;
  std::string out =
      fmt::format("Seen: {} of partition {}, offsets {} to {}, {} to {}.\n",
                  Count(span.records, "record"), span.partition, span.first_offset,
                  span.last_offset, Moment(ToMs(report.from)), Moment(ToMs(report.to)));
  const auto warn = [&](const std::string& text) {
    out += Paint(style, Tone::kWarning, text) + "\n";
  };
  if (span.begins_late) {
    warn(
        fmt::format("The log begins at {}, later than the {} that was asked for: what came before "
                    "is no longer kept.",
                    Moment(ToMs(report.from)), Moment(ToMs(*span.wanted))));
  }
  if (span.interrupted) warn("Interrupted: the log goes on after that.");
  if (span.unreadable > 0)
    warn(fmt::format("{} could not be read, nor did the shard.", Count(span.unreadable, "record")));
  return out;
}

nlohmann::ordered_json LogSpanJson(const rehearse::LogSpan& span) {
  nlohmann::ordered_json out{{"partition", span.partition},     {"first_offset", span.first_offset},
                             {"last_offset", span.last_offset}, {"records", span.records},
                             {"unreadable", span.unreadable},   {"begins_late", span.begins_late},
                             {"interrupted", span.interrupted}};
  if (span.wanted) out["wanted_from_ms"] = ToMs(*span.wanted);
  return out;
}

std::string Count(std::size_t n, const char* thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

const char* PurposeName(engine::Purpose purpose) {
  switch (purpose) {
    case engine::Purpose::kPage:
      return "page";
    case engine::Purpose::kRecord:
      return "shadow";
    case engine::Purpose::kScenario:
      return "scenario";
    case engine::Purpose::kProbe:
      return "probe";
  }
  return "";
}

std::string OneLine(const nlohmann::ordered_json& document) {
  return document.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace liveops::ctl
