#include "services/liveopsctl/render/drifts.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "services/liveopsctl/render/rehearsal_parts.h"

namespace liveops::ctl {
namespace {

using nlohmann::ordered_json;
using plan::PlanChange;
using Kind = PlanChange::Kind;

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kAdded:
      return "added";
    case Kind::kRemoved:
      return "removed";
    case Kind::kChanged:
      return "changed";
  }
  return "";
}

Tone ToneOf(Kind kind) {
  return kind == Kind::kAdded ? Tone::kGood : kind == Kind::kRemoved ? Tone::kBad : Tone::kWarning;
}

std::string FieldLine(const char* sign, Tone tone, const std::string& text, const Style& style) {
  return text.empty() ? "" : Paint(style, tone, fmt::format("{} {}", sign, Printable(text)));
}

std::string RenderChange(const PlanChange& change, const Style& style) {
  const char* sign = change.kind == Kind::kAdded ? "+" : change.kind == Kind::kRemoved ? "-" : "~";
  std::string out = "  " +
                    Paint(style, ToneOf(change.kind),
                          fmt::format("{} {}{}{}", sign, plan::SectionName(change.section),
                                      change.name.empty() ? "" : " ", Printable(change.name))) +
                    "\n";
  std::size_t width = 0;
  for (const plan::FieldChange& field : change.fields) width = std::max(width, field.key.size());
  for (const plan::FieldChange& field : change.fields) {
    std::string key = fmt::format("      {:<{}}  ", field.key, width);
    if (change.kind != Kind::kChanged) {
      out += key + Printable(field.before + field.after) + "\n";
      continue;
    }
    for (const std::string& line : {FieldLine("-", Tone::kBad, field.before, style),
                                    FieldLine("+", Tone::kGood, field.after, style)}) {
      if (line.empty()) continue;
      out += key + line + "\n";
      key.assign(key.size(), ' ');
    }
  }
  return out;
}

std::string Against(const Drift& drift) {
  if (drift.live.version() == 0) {
    return fmt::format(": {} has no plan yet", Printable(drift.service));
  }
  return fmt::format(" against {} version {}, {}, applied by {} at {} (-)",
                     Printable(drift.service), drift.live.version(),
                     drift.in_force ? "in force" : "the newest", Printable(drift.live.applied_by()),
                     Moment(drift.live.applied_unix_ms()));
}

}  // namespace

std::string RenderDrift(const Drift& drift, const Style& style) {
  if (drift.equal() || !drift.error.empty()) return "";
  std::string out =
      fmt::format("{} (+){}\n", Paint(style, Tone::kStrong, Printable(drift.file)), Against(drift));
  for (const PlanChange& change : drift.changes) out += RenderChange(change, style);
  const auto count = [&](Kind kind) {
    return std::count_if(drift.changes.begin(), drift.changes.end(),
                         [kind](const PlanChange& c) { return c.kind == kind; });
  };
  return out + fmt::format("{}: {} added, {} removed, {} changed\n",
                           Count(drift.changes.size(), "difference"), count(Kind::kAdded),
                           count(Kind::kRemoved), count(Kind::kChanged));
}

std::string DriftJson(const std::vector<Drift>& drifts) {
  ordered_json files = ordered_json::array();
  for (const Drift& drift : drifts) {
    ordered_json one{{"file", drift.file}, {"service", drift.service}, {"equal", drift.equal()}};
    if (!drift.error.empty()) {
      one["error"] = drift.error;
      files.push_back(std::move(one));
      continue;
    }
    one["live_version"] = drift.live.version();
    one["in_force"] = drift.in_force;
    one["applied_by"] = drift.live.applied_by();
    one["applied_unix_ms"] = drift.live.applied_unix_ms();
    ordered_json changes = ordered_json::array();
    for (const PlanChange& change : drift.changes) {
      ordered_json fields = ordered_json::array();
      for (const plan::FieldChange& field : change.fields)
        fields.push_back({{"key", field.key}, {"live", field.before}, {"file", field.after}});
      changes.push_back({{"change", KindName(change.kind)},
                         {"what", plan::SectionName(change.section)},
                         {"name", change.name},
                         {"fields", std::move(fields)}});
    }
    one["differences"] = std::move(changes);
    files.push_back(std::move(one));
  }
  return OneLine({{"files", std::move(files)}});
}

std::string RenderExport(const v1::PlanRecord& plan, const std::string& text,
                         const std::string& digest) {
  return fmt::format(
             "# {} version {}, applied by {} at {}, in canonical form: names inlined, defaults "
             "written out.\n# digest {}\n",
             Printable(plan.service()), plan.version(), Printable(plan.applied_by()),
             Moment(plan.applied_unix_ms()), digest) +
         text;
}

std::string ExportJson(const v1::PlanRecord& plan, const std::string& text,
                       const std::string& digest) {
  return OneLine({{"service", plan.service()},
                  {"version", plan.version()},
                  {"applied_by", plan.applied_by()},
                  {"applied_unix_ms", plan.applied_unix_ms()},
                  {"digest", digest},
                  {"text", text}});
}

}  // namespace liveops::ctl
