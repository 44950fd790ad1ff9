#include "services/liveopsctl/render/plans.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

constexpr std::size_t kShownBytes = 120;  // of a source line, around the place
constexpr std::size_t kShownBefore = 60;

// Line `number` (1-based) without its end; nullopt-like empty when there is none.
std::string_view LineAt(std::string_view source, std::uint32_t number) {
  for (std::uint32_t i = 1; i < number; ++i) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  std::string_view line = source.substr(0, source.find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool IsTail(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string Shown(std::string_view part) {
  std::string text(part);
  std::replace(text.begin(), text.end(), '\t', ' ');
  return Printable(text);
}

}  // namespace

std::string RenderProblem(const v1::PlanProblem& problem, std::string_view source,
                          const Style& style) {
  std::string out =
      fmt::format("{}:{}:{}: {}\n", Printable(problem.file()), problem.line(), problem.column(),
                  Paint(style, Tone::kBad, Printable(problem.message())));
  const std::string_view line = LineAt(source, problem.line());
  if (problem.line() == 0 || problem.column() == 0 || Trim(line).empty()) return out;
  if (!IsValidUtf8(line)) return out;  // nothing that a person reads
  // Columns count characters, not bytes.
  std::size_t place = 0;
  for (std::uint32_t column = 1; column < problem.column() && place < line.size(); ++column) {
    ++place;
    while (place < line.size() && IsTail(line[place])) ++place;
  }
  std::size_t begin = place > kShownBefore ? place - kShownBefore : 0;
  while (begin > 0 && IsTail(line[begin])) --begin;
  const std::string before =
      (begin > 0 ? "\xe2\x80\xa6" : "") + Shown(line.substr(begin, place - begin));
  std::size_t end = std::min(line.size(), begin + kShownBytes);
  while (end < line.size() && IsTail(line[end])) ++end;
  const std::string after =
      Shown(line.substr(place, end - place)) + (end < line.size() ? "\xe2\x80\xa6" : "");
  const std::string margin = fmt::format("{:>5} | ", problem.line());
  out += margin + before + after + "\n";
  out += "      | " + std::string(DisplayWidth(before), ' ') + Paint(style, Tone::kBad, "^") + "\n";
  return out;
}

PlansInForce InForceBy(const v1::ListAlarmsResponse& alarms) {
  PlansInForce in_force;
  for (const v1::AlarmStatus& alarm : alarms.alarms()) {
    // An alarm that was not written anew yet still names the version before.
    std::uint64_t& version = in_force[alarm.service()];
    version = std::max(version, alarm.plan_version());
  }
  return in_force;
}

std::string RenderPlans(const v1::ListPlansResponse& response, const PlansInForce& in_force,
                        const Style& style) {
  if (response.plans_size() == 0) return "No plans: apply one with `liveopsctl plan apply FILE`.\n";
  Table table({"SERVICE", "NEWEST", "IN FORCE", "APPLIED BY", "APPLIED AT"});
  for (const v1::PlanRecord& plan : response.plans()) {
    const auto running = in_force.find(plan.service());
    Cell now = running == in_force.end()
                   ? Cell("not known", Tone::kDim)
                   : Cell(std::to_string(running->second),
                          running->second == plan.version() ? Tone::kPlain : Tone::kWarning);
    table.Row({plan.service(), std::to_string(plan.version()), std::move(now), plan.applied_by(),
               Moment(plan.applied_unix_ms())});
  }
  return table.ToString(style);
}

std::string RenderPlan(const v1::PlanRecord& plan, const PlansInForce& in_force,
                       const Style& style) {
  const auto running = in_force.find(plan.service());
  const std::string force = running == in_force.end() ? "which version is in force is not known"
                            : running->second == plan.version()
                                ? "in force"
                                : fmt::format("version {} is in force", running->second);
  const std::string spread =
      plan.spread_from_ms() == 0
          ? ""
          : fmt::format("; on {} partition{} from the event time {} on", plan.spread(),
                        plan.spread() == 1 ? "" : "s", Moment(plan.spread_from_ms()));
  std::string out =
      Paint(style, Tone::kDim,
            fmt::format("# {} version {}, applied by {} at {}; {}{}", Printable(plan.service()),
                        plan.version(), Printable(plan.applied_by()),
                        Moment(plan.applied_unix_ms()), force, spread)) +
      "\n";
  out += PrintableLines(plan.text());
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

}  // namespace liveops::ctl
