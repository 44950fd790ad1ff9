#include <fmt/format.h>

#include "common/base/text.h"
#include "services/liveopsctl/render/backtests.h"
#include "services/liveopsctl/render/rehearsal_parts.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

using nlohmann::ordered_json;
using rehearse::Change;
using rehearse::DiffLine;
using rehearse::Episode;

const char* ChangeName(Change change) {
  switch (change) {
    case Change::kFires:
      return "fires";
    case Change::kQuiet:
      return "goes quiet";
    case Change::kEarlier:
      return "earlier";
    case Change::kLater:
      return "later";
    case Change::kResolves:
      return "closes otherwise";
    case Change::kToldElse:
      return "told otherwise";
  }
  return "";
}

Tone ToneOf(Change change) {
  switch (change) {
    case Change::kFires:
      return Tone::kBad;
    case Change::kQuiet:
      return Tone::kGood;
    default:
      return Tone::kWarning;
  }
}

std::string Told(const std::optional<Episode>& episode, bool with_owner) {
  if (!episode) return "nothing";
  const std::string end = episode->closed
                              ? "lasted " + FormatElapsed(episode->length(episode->closed->clock))
                              : "open at the end";
  const engine::Transition& opened = episode->opened;
  std::string out =
      fmt::format("{} {}, {}", Moment(ToMs(opened.clock)), rehearse::ToldText(opened), end);
  if (with_owner) out += fmt::format(", {} {}", plan::SeverityName(opened.severity), opened.owner);
  return out;
}

std::string By(const DiffLine& line) {
  if (line.shift == Duration(0)) return "";
  return fmt::format("{} {}", FormatElapsed(line.shift),
                     line.shift < Duration(0) ? "earlier" : "later");
}

ordered_json AsJson(const std::optional<Episode>& episode) {
  if (!episode) return nullptr;
  const engine::Transition& opened = episode->opened;
  ordered_json out{{"at_ms", ToMs(opened.clock)},
                   {"state", engine::AlarmStateName(opened.state)},
                   {"value", opened.value},
                   {"unit", opened.unit},
                   {"severity", plan::SeverityName(opened.severity)},
                   {"owner", opened.owner}};
  out["closed_ms"] = nullptr;
  if (episode->closed) out["closed_ms"] = ToMs(episode->closed->clock);
  return out;
}

}  // namespace

std::string RenderDiff(const rehearse::BacktestReport& before,
                       const rehearse::BacktestReport& after, const std::string& file,
                       const Style& style) {
  const rehearse::BacktestDiff diff = rehearse::Compare(before, after);
  std::string out = Paint(style, Tone::kStrong, Printable(file));
  if (!after.header.about.empty()) out += ": " + Printable(after.header.about);
  out += "\n";
  if (diff.lines.empty()) {
    out += "The new plan tells the same as the old one.\n";
  } else {
    Table table({"CHANGE", "ALARM", "KIND", "OLD", "NEW", "BY"});
    for (const DiffLine& line : diff.lines) {
      const bool owner = line.change == Change::kToldElse;
      table.Row({Cell(ChangeName(line.change), ToneOf(line.change)), line.alarm,
                 PurposeName(line.purpose), Told(line.before, owner), Told(line.after, owner),
                 By(line)});
    }
    out += table.ToString(style);
  }
  out += fmt::format("Pages: {} by the old plan, {} by the new one. {} alike in both.\n",
                     before.pages, after.pages, Count(diff.same, "episode"));
  const auto names = [&](const char* what, const std::vector<std::string>& alarms) {
    if (!alarms.empty())
      out += fmt::format("{}: {}\n", what, Printable(fmt::format("{}", fmt::join(alarms, ", "))));
  };
  names("Alarms of the old plan alone", diff.only_before);
  names("Alarms of the new plan alone", diff.only_after);
  return out + RenderLogSpan(after, style) +
         fmt::format(
             "Only what stands in the {} was looked at; another incident may tell them "
             "apart.\n",
             after.log ? "log" : "recording");
}

std::string DiffJson(const rehearse::BacktestReport& before, const rehearse::BacktestReport& after,
                     const std::string& file) {
  const rehearse::BacktestDiff diff = rehearse::Compare(before, after);
  ordered_json lines = ordered_json::array();
  for (const DiffLine& line : diff.lines) {
    lines.push_back({{"change", ChangeName(line.change)},
                     {"alarm", line.alarm},
                     {"kind", PurposeName(line.purpose)},
                     {"old", AsJson(line.before)},
                     {"new", AsJson(line.after)},
                     {"shift_ms", line.shift.count()}});
  }
  ordered_json out{{"data", file},
                   {"about", after.header.about},
                   {"from_ms", ToMs(after.from)},
                   {"to_ms", ToMs(after.to)},
                   {"pages_old", before.pages},
                   {"pages_new", after.pages},
                   {"same", diff.same},
                   {"changes", std::move(lines)},
                   {"alarms_of_old_alone", diff.only_before},
                   {"alarms_of_new_alone", diff.only_after}};
  if (after.log) out["log"] = LogSpanJson(after);
  return OneLine(out);
}

}  // namespace liveops::ctl
