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
  const std::string period =
      fmt::format("{} to {}.\n", Moment(ToMs(report.from)), Moment(ToMs(report.to)));
  const auto offsets = [](const rehearse::PartitionSpan& of) {
    return fmt::format("offsets {} to {}", of.first_offset, of.last_offset);
  };
  std::string out = fmt::format("Seen: {} of ", Count(span.records(), "record"));
  if (span.partitions.size() == 1) {
    const rehearse::PartitionSpan& of = span.partitions.front();
    out += fmt::format("partition {}, {}, {}", of.partition, offsets(of), period);
  } else {
    out += fmt::format("{}, {}", Count(span.partitions.size(), "partition"), period);
    for (const rehearse::PartitionSpan& of : span.partitions) {
      out += fmt::format("  partition {}: {}", of.partition, Count(of.records, "record"));
      out += of.records > 0 ? ", " + offsets(of) + "\n" : "\n";
    }
    out +=
        "Each partition's times are its broker's: as far as these clocks differ, the same may have "
        "been told\nearlier or later live.\n";
  }
  const auto warn = [&](const std::string& text) {
    out += Paint(style, Tone::kWarning, text) + "\n";
  };
  if (span.begins_late && !span.wanted) {
    warn(fmt::format(
        "Partition {} begins at {}: what the others hold before that was not looked at.",
        *span.begins_late, Moment(ToMs(report.from))));
  } else if (span.begins_late) {
    const std::string where =
        span.partitions.size() == 1 ? "The log" : fmt::format("Partition {}", *span.begins_late);
    warn(
        fmt::format("{} begins at {}, later than the {} that was asked for: what came before "
                    "is no longer kept.",
                    where, Moment(ToMs(report.from)), Moment(ToMs(*span.wanted))));
  }
  if (span.ends_early) {
    warn(fmt::format("Partition {} ends at {}: what the others hold after that was not looked at.",
                     *span.ends_early, Moment(ToMs(span.ends))));
  }
  for (const rehearse::SeriesMove& move : report.moves) {
    warn(fmt::format(
        "From {} on the series of {} lie on {} in place of {}. The rules that read them "
        "began anew {}\nbefore that, as they do live: windows that reach back before it "
        "are not judged.",
        Moment(ToMs(move.from)), move.service,
        Count(static_cast<std::size_t>(move.after), "partition"), move.before,
        FormatDuration(kSpreadLead)));
  }
  if (span.interrupted) warn("Interrupted: the log goes on after that.");
  if (span.unreadable() > 0) {
    warn(fmt::format("{} could not be read, nor did the shard.",
                     Count(span.unreadable(), "record")));
  }
  return out;
}

nlohmann::ordered_json LogSpanJson(const rehearse::BacktestReport& report) {
  if (!report.log) return nullptr;
  const rehearse::LogSpan& span = *report.log;
  nlohmann::ordered_json partitions = nlohmann::ordered_json::array();
  for (const rehearse::PartitionSpan& of : span.partitions) {
    nlohmann::ordered_json one{{"partition", of.partition}};
    if (of.records > 0) {
      one["first_offset"] = of.first_offset;
      one["last_offset"] = of.last_offset;
    }
    one["records"] = of.records;
    one["unreadable"] = of.unreadable;
    partitions.push_back(std::move(one));
  }
  nlohmann::ordered_json out;
  // An offset says nothing where there are several.
  if (span.partitions.size() == 1) {
    out = partitions.front();
  } else {
    out["records"] = span.records();
    out["unreadable"] = span.unreadable();
  }
  out["partitions"] = std::move(partitions);
  out["begins_late"] = span.begins_late.has_value();
  out["ends_early"] = span.ends_early.has_value();
  out["interrupted"] = span.interrupted;
  if (span.wanted) out["wanted_from_ms"] = ToMs(*span.wanted);
  for (const rehearse::SeriesMove& move : report.moves) {
    out["spread_changes"].push_back({{"service", move.service},
                                     {"from_ms", ToMs(move.from)},
                                     {"partitions_before", move.before},
                                     {"partitions", move.after}});
  }
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
