#include "services/liveopsctl/render/remediations.h"

#include <fmt/format.h>

#include <map>

#include "common/base/time.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

constexpr std::size_t kShortId = 12;

const char* OutcomeWord(v1::RemediationOutcome outcome) {
  switch (outcome) {
    case v1::REMEDIATION_OUTCOME_VERIFIED:
      return "verified";
    case v1::REMEDIATION_OUTCOME_INEFFECTIVE:
      return "ineffective";
    case v1::REMEDIATION_OUTCOME_UNKNOWN:
      return "UNKNOWN";
    case v1::REMEDIATION_OUTCOME_FAILED:
      return "failed";
    case v1::REMEDIATION_OUTCOME_REFUSED:
      return "refused";
    case v1::REMEDIATION_OUTCOME_EXPIRED:
      return "expired";
    case v1::REMEDIATION_OUTCOME_WITHDRAWN:
      return "withdrawn";
    default:
      return "closed";
  }
}

Tone PhaseTone(const v1::RemediationStatus& r) {
  if (r.phase() != v1::REMEDIATION_PHASE_CLOSED) return Tone::kWarning;
  switch (r.outcome().outcome()) {
    case v1::REMEDIATION_OUTCOME_VERIFIED:
      return Tone::kGood;
    case v1::REMEDIATION_OUTCOME_UNKNOWN:
    case v1::REMEDIATION_OUTCOME_INEFFECTIVE:
    case v1::REMEDIATION_OUTCOME_FAILED:
      return Tone::kBad;
    default:
      return Tone::kPlain;
  }
}

std::string Pairs(const google::protobuf::Map<std::string, std::string>& map) {
  std::string out;
  for (const auto& [key, value] : std::map<std::string, std::string>(map.begin(), map.end())) {
    out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", key, value);
  }
  return out;
}

// "43 -> 42", as far as the action says.
std::string Revisions(const v1::Action& action) {
  static constexpr std::string_view kOption = "--to-revision=";
  const auto current = action.preconditions().find("revision");
  std::string target;
  for (int i = 0; i < action.argv_size(); ++i) {
    const std::string& argument = action.argv(i);
    if (argument.starts_with(kOption)) target = argument.substr(kOption.size());
    if (argument == "--to-revision" && i + 1 < action.argv_size()) target = action.argv(i + 1);
  }
  const bool known = current != action.preconditions().end();
  if (!known && target.empty()) return "";
  return fmt::format("{} -> {}", known ? current->second : "not known",
                     target.empty() ? "previous" : target);
}

std::string TargetText(const v1::Action& action) {
  return action.namespace_().empty()
             ? action.target()
             : fmt::format("{} in namespace {}", action.target(), action.namespace_());
}

// The clock when it was proposed; 0 when the history does not say.
std::int64_t ProposedAt(const v1::RemediationStatus& r) {
  for (const v1::RemediationRecord& record : r.history()) {
    if (record.has_proposed()) return record.clock_ms();
  }
  return 0;
}

std::string ExpiryText(const v1::RemediationStatus& r) {
  const std::int64_t expires = r.proposed().expires_ms();
  const std::int64_t proposed = ProposedAt(r);
  if (expires == 0) return "";
  if (proposed == 0 || expires < proposed) return Moment(expires);
  return fmt::format("{} ({} after it was proposed)", Moment(expires),
                     FormatElapsed(Duration(expires - proposed)));
}

// "plan backend-api v3 (applied by operator-1)".
std::string AskedBy(const v1::Proposed& p) {
  if (p.plan_version() == 0) return p.requested_by();  // of before the two were kept apart
  return fmt::format(
      "plan {} v{} ({})", p.service(), p.plan_version(),
      p.requested_by().empty() ? "who applied it is not known" : "applied by " + p.requested_by());
}

Facts ActionFacts(const v1::RemediationStatus& r) {
  const v1::Proposed& p = r.proposed();
  Facts facts;
  facts.Add("in words", p.action().description());
  facts.Add("target", TargetText(p.action()));
  facts.Add("revision", Revisions(p.action()));
  facts.Add("only while", Pairs(p.action().preconditions()));
  facts.Add("done when", Pairs(p.action().effect()));
  facts.Add("because", p.condition());
  facts.Add("alarm", p.alarm_id());
  facts.Add("asked by", AskedBy(p));
  facts.Add("approval of", p.approver_owner());
  facts.Add("expires", ExpiryText(r));
  if (!p.expect().empty()) {
    facts.Add(
        "checked by",
        fmt::format("{} within {}", p.expect(),
                    FormatDuration(Duration(static_cast<std::int64_t>(p.expect_within_ms())))));
  }
  facts.Add("digest", Hex(p.digest()));
  return facts;
}

// What one record of the history says.
std::string RecordText(const v1::RemediationRecord& record) {
  switch (record.body_case()) {
    case v1::RemediationRecord::kProposed:
      return fmt::format("proposed by {}: {}", AskedBy(record.proposed()),
                         record.proposed().action().description());
    case v1::RemediationRecord::kApproved:
      return "approved by " + record.approved().by();
    case v1::RemediationRecord::kDenied:
      return fmt::format("denied by {}: {}", record.denied().by(), record.denied().reason());
    case v1::RemediationRecord::kIntent:
      return "started by " + record.intent().executor();
    case v1::RemediationRecord::kEffect: {
      const v1::Effect& effect = record.effect();
      return fmt::format("{}{}{}",
                         effect.read_back() ? "found done after a crash"
                                            : fmt::format("ran, exit code {}", effect.exit_code()),
                         effect.observed().empty() ? "" : ", seen: ", effect.observed());
    }
    case v1::RemediationRecord::kOutcome:
      return fmt::format("{}{}{}", OutcomeWord(record.outcome().outcome()),
                         record.outcome().detail().empty() ? "" : ": ", record.outcome().detail());
    default:
      return "";  // claims of owners say nothing of this remediation
  }
}

}  // namespace

std::string PhaseWord(const v1::RemediationStatus& r) {
  switch (r.phase()) {
    case v1::REMEDIATION_PHASE_PROPOSED:
      return "proposed";
    case v1::REMEDIATION_PHASE_APPROVED:
      return "approved";
    case v1::REMEDIATION_PHASE_RUNNING:
      return "running";
    case v1::REMEDIATION_PHASE_VERIFYING:
      return "verifying";
    case v1::REMEDIATION_PHASE_CLOSED:
      return r.has_denied() && !r.has_outcome() ? "denied" : OutcomeWord(r.outcome().outcome());
    default:
      return "unknown";
  }
}

std::string CommandLine(const v1::Action& action) {
  std::string out;
  for (const std::string& argument : action.argv()) {
    if (!out.empty()) out += ' ';
    out += QuoteArgument(argument);
  }
  return out;
}

std::string RenderRemediations(const v1::ListRemediationsResponse& response, bool open_only,
                               const Style& style) {
  if (response.remediations_size() == 0) {
    return open_only ? "No open remediations.\n" : "No remediations.\n";
  }
  Table table({"ID", "STATE", "SERVICE", "SCENARIO", "ACTION", "APPROVAL OF", "EXPIRES"});
  for (const v1::RemediationStatus& r : response.remediations()) {
    const v1::Proposed& p = r.proposed();
    const bool open = r.phase() == v1::REMEDIATION_PHASE_PROPOSED;
    table.Row({{r.id().substr(0, kShortId), open ? Tone::kStrong : Tone::kPlain},
               {PhaseWord(r), PhaseTone(r)},
               p.service(),
               p.scenario(),
               p.action().description(),
               p.approver_owner(),
               open ? Moment(p.expires_ms()) : ""});
  }
  return table.ToString(style);
}

std::string RenderRemediation(const v1::RemediationStatus& r, const Style& style) {
  std::string out =
      fmt::format("{}  {}  {}/{}\n  {}\n", Paint(style, Tone::kStrong, Printable(r.id())),
                  Paint(style, PhaseTone(r), Printable(PhaseWord(r))),
                  Printable(r.proposed().service()), Printable(r.proposed().scenario()),
                  Paint(style, Tone::kStrong, CommandLine(r.proposed().action())));
  Facts facts = ActionFacts(r);
  facts.Add("approved by", r.approved().by());
  if (r.has_denied())
    facts.Add("denied by", fmt::format("{}: {}", r.denied().by(), r.denied().reason()));
  if (r.has_outcome()) {
    facts.Add("outcome",
              Cell(fmt::format("{}{}{}", OutcomeWord(r.outcome().outcome()),
                               r.outcome().detail().empty() ? "" : ": ", r.outcome().detail()),
                   PhaseTone(r)));
  }
  out += facts.ToString(style);
  std::string history;
  for (const v1::RemediationRecord& record : r.history()) {
    if (const std::string text = RecordText(record); !text.empty()) {
      history += fmt::format("  {}  {}\n", Moment(record.clock_ms()), Printable(text));
    }
  }
  if (!history.empty()) out += Paint(style, Tone::kStrong, "History") + "\n" + history;
  if (!r.effect().output().empty()) {
    out += Paint(style, Tone::kStrong, "Output of the tool") + "\n" +
           PrintableLines(r.effect().output());
    if (out.back() != '\n') out += '\n';
  }
  return out;
}

std::string RenderProposal(const v1::RemediationStatus& r, const Style& style) {
  return fmt::format(
      "Remediation {} of {}, scenario {}\nThis command will run, exactly:\n\n  {}\n\n{}",
      Printable(r.id()), Printable(r.proposed().service()), Printable(r.proposed().scenario()),
      Paint(style, Tone::kStrong, CommandLine(r.proposed().action())),
      ActionFacts(r).ToString(style));
}

}  // namespace liveops::ctl
