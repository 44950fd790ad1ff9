#include "deploy/local/sandbox/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/text.h"

namespace liveops::sandbox {
namespace {

constexpr std::size_t kSlackWidth = 88;

std::string Milliseconds(double ms) {
  return ms < 10 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} ms", ms);
}

std::string Count(std::int64_t n, const char* one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

// ":red_circle: CRITICAL …" -> "CRITICAL …"
std::string WithoutEmoji(const std::string& title) {
  const std::size_t end = title.starts_with(":") ? title.find(": ", 1) : std::string::npos;
  return end == std::string::npos ? title : title.substr(end + 2);
}

// Alarm ids of the service that a message's text names in code marks.
std::set<std::string> AlarmsNamedIn(const std::string& body, const std::string& service) {
  std::set<std::string> names;
  const std::string mark = "`" + service + "/";
  for (std::size_t at = body.find(mark); at != std::string::npos; at = body.find(mark, at + 1)) {
    const std::size_t end = body.find_first_of("`{\\\"", at + 1);
    names.insert(body.substr(at + 1, end - at - 1));
  }
  return names;
}

// The command that approves it, as messages carry it.
std::string ApproveCommand(const RemediationView& proposal) {
  return "liveopsctl remediations approve " + proposal.id;
}

// The canonical text of a condition always names its hold; a hold of nothing says nothing.
std::string WithoutHold(std::string text) {
  constexpr std::string_view kNothing = " for 0s";
  const std::size_t at = text.find(kNothing);
  return at == std::string::npos ? text : text.erase(at, kNothing.size());
}

std::int64_t Undos(const std::vector<std::string>& changes) {
  return std::count_if(changes.begin(), changes.end(), [](const std::string& line) {
    return line.find("rollout undo") != std::string::npos;
  });
}

}  // namespace

std::string Story::ShortName(const std::string& alarm_id) const {
  const std::string prefix = script_.service + "/";
  return alarm_id.starts_with(prefix) ? alarm_id.substr(prefix.size()) : alarm_id;
}

std::vector<Line> Story::TakeLines(std::int64_t until_us) {
  std::stable_sort(lines_.begin(), lines_.end(),
                   [](const Line& a, const Line& b) { return a.at_us < b.at_us; });
  const auto later = std::find_if(lines_.begin(), lines_.end(),
                                  [&](const Line& line) { return line.at_us > until_us; });
  std::vector<Line> taken(lines_.begin(), later);
  lines_.erase(lines_.begin(), later);
  return taken;
}

void Story::OnLedger(const stack::LedgerEntry& entry) {
  for (const std::string& what : entry.violations) {
    breaches_.push_back(entry.provider + ": " + what);
    lines_.push_back({entry.received_us, "BREACH", Tone::kBad, entry.provider + ": " + what, {}});
  }
  if (entry.status < 200 || entry.status > 299) ++refused_;
  if (entry.provider == "pagerduty") {
    OnPagerDuty(entry);
  } else {
    OnSlack(entry);
  }
}

void Story::OnPagerDuty(const stack::LedgerEntry& entry) {
  Paged& paged = paged_[entry.alarm_id];
  if (entry.effect == "opened" || entry.effect == "merged") alerts_.push_back(entry.body);
  if (entry.effect == "opened") {
    const double latency_ms =
        static_cast<double>(entry.received_us) / 1000 - static_cast<double>(entry.clock_real_ms);
    if (++paged.opened == 1) paged.latency_ms = latency_ms;
    lines_.push_back({entry.received_us,
                      "FIRING",
                      Tone::kBad,
                      entry.title,
                      {fmt::format("PagerDuty alert {}, {} after the record that crossed the line",
                                   entry.alert, Milliseconds(latency_ms))}});
  } else if (entry.effect == "resolved") {
    ++paged.resolved;
    lines_.push_back({entry.received_us,
                      "resolved",
                      Tone::kGood,
                      entry.title,
                      {fmt::format("PagerDuty alert {} closed", entry.alert)}});
  } else if (entry.effect == "merged") {
    lines_.push_back(
        {entry.received_us,
         "pagerduty",
         Tone::kSoft,
         fmt::format("alert {} tells more: the proposal is in its details", entry.alert),
         {}});
  } else if (entry.effect == "acknowledged") {
    lines_.push_back({entry.received_us, "acknowledged", Tone::kCall, entry.title, {}});
  }
}

void Story::OnSlack(const stack::LedgerEntry& entry) {
  if (entry.effect != "posted") return;
  posts_.push_back(
      {WithoutEmoji(entry.title), entry.body, AlarmsNamedIn(entry.body, script_.service)});
  lines_.push_back({entry.received_us,
                    "slack",
                    Tone::kSoft,
                    entry.channel + "  " + Truncate(WithoutEmoji(entry.title), kSlackWidth),
                    {}});
}

void Story::OnDeployment(const stack::DeploymentState& state, std::int64_t now_us) {
  if (state.image == image_) return;
  if (image_.empty()) {
    lines_.push_back({now_us,
                      "running",
                      Tone::kPlain,
                      fmt::format("{}, revision {}, quiet traffic", state.image, state.revision),
                      {}});
  } else if (state.image == script_.bad_image) {
    lines_.push_back({now_us,
                      "rolled out",
                      Tone::kWarn,
                      fmt::format("{}, revision {}, by the deploy pipeline: a bad one", state.image,
                                  state.revision),
                      {}});
  } else {
    lines_.push_back({now_us,
                      "rolled back",
                      Tone::kGood,
                      fmt::format("{} runs again, as revision {}", state.image, state.revision),
                      {}});
  }
  image_ = state.image;
}

void Story::OnAlarms(const std::vector<AlarmView>& open, std::int64_t now_us) {
  std::map<std::string, std::string> states;
  for (const AlarmView& alarm : open) {
    if (!alarm.pages) continue;
    states[alarm.id] = alarm.state;
    if (alarm.state != "pending" || alarm_states_[alarm.id] == "pending") continue;
    if (alarm_states_[alarm.id] == "firing") continue;
    lines_.push_back({now_us,
                      "pending",
                      Tone::kWarn,
                      fmt::format("{}: {}{}, fires if it stays so for {}", ShortName(alarm.id),
                                  alarm.value.empty() ? "" : alarm.value + " ", alarm.threshold,
                                  FormatDuration(alarm.hold)),
                      {}});
  }
  for (const auto& [id, state] : alarm_states_) {
    if (state == "pending" && !states.contains(id)) {
      lines_.push_back({now_us, "calm again", Tone::kSoft, ShortName(id), {}});
    }
  }
  alarm_states_ = std::move(states);
  open_ = open;
}

void Story::OnRemediations(const std::vector<RemediationView>& all, std::int64_t now_us) {
  for (const RemediationView& remediation : all) OnRemediation(remediation, now_us);
}

void Story::OnRemediation(const RemediationView& now, std::int64_t now_us) {
  const bool fresh = !remediations_.contains(now.id);
  RemediationView& before = remediations_[now.id];
  const auto say = [&](const char* word, Tone tone, std::string text,
                       std::vector<std::string> more = {}) {
    lines_.push_back({now_us, word, tone, std::move(text), std::move(more)});
  };
  if (fresh) {
    say("proposed", Tone::kCall, now.action,
        {"because " + now.condition, "it would run: " + now.command,
         "remediation " + now.id.substr(0, 12) + ", waits for an approver"});
    if (now.scenario == script_.scenario) proposed_us_ = now_us;
  }
  if (before.approved_by.empty() && !now.approved_by.empty()) {
    say("approved", Tone::kCall, "by " + now.approved_by + ", exactly this action");
  }
  if (before.denied_by.empty() && !now.denied_by.empty()) {
    say("denied", Tone::kBad, "by " + now.denied_by);
  }
  if (before.effect.empty() && !now.effect.empty()) {
    // Behind what the cluster itself shows of it at the same look.
    lines_.push_back({now_us + 2,
                      "executed",
                      Tone::kPlain,
                      now.effect,
                      {"a fresh window now has to show: " + WithoutHold(now.expect)}});
  }
  if (before.outcome.empty() && !now.outcome.empty()) {
    say(now.outcome == "verified" ? "verified" : now.outcome.c_str(),
        now.outcome == "verified" ? Tone::kGood : Tone::kBad, WithoutHold(now.detail));
  }
  before = now;
  if (now.scenario == script_.scenario) proposal_ = now;
}

bool Story::all_paged() const {
  return std::all_of(script_.alarms.begin(), script_.alarms.end(), [this](const std::string& id) {
    const auto found = paged_.find(id);
    return found != paged_.end() && found->second.opened > 0;
  });
}

bool Story::all_resolved() const {
  return std::all_of(script_.alarms.begin(), script_.alarms.end(), [this](const std::string& id) {
    const auto found = paged_.find(id);
    return found != paged_.end() && found->second.resolved > 0;
  });
}

bool Story::ToldInSlack(const std::string& alarm_id, std::string_view word) const {
  return std::any_of(posts_.begin(), posts_.end(), [&](const Post& post) {
    return post.title.starts_with(word) && post.alarms.contains(alarm_id);
  });
}

bool Story::all_resolved_in_slack() const {
  return std::all_of(script_.alarms.begin(), script_.alarms.end(), [this](const std::string& id) {
    return ToldInSlack(id, script_.resolved_word);
  });
}

bool Story::ProposalInSlack() const {
  return proposal_ && std::any_of(posts_.begin(), posts_.end(), [this](const Post& post) {
           return post.body.find(ApproveCommand(*proposal_)) != std::string::npos;
         });
}

bool Story::ProposalInPagerDuty() const {
  return proposal_ && std::any_of(alerts_.begin(), alerts_.end(), [this](const std::string& body) {
           const std::size_t details = body.find("\"custom_details\"");
           return details != std::string::npos &&
                  body.find(ApproveCommand(*proposal_), details) != std::string::npos;
         });
}

bool Story::OutcomeInSlack() const {
  if (!proposal_ || proposal_->outcome.empty()) return false;
  const std::string told = proposal_->action + ": " + proposal_->outcome;
  // In the body, whose text is whole: a header is cut.
  return std::any_of(posts_.begin(), posts_.end(),
                     [&](const Post& post) { return post.body.find(told) != std::string::npos; });
}

bool Story::complete() const {
  return all_paged() && all_resolved() && image_ == script_.good_image && proposal_ &&
         !proposal_->outcome.empty() && all_resolved_in_slack() && OutcomeInSlack();
}

std::vector<std::string> Story::NotAsWithoutApproval() const {
  std::vector<std::string> other;
  if (image_ != script_.bad_image) other.push_back((image_.empty() ? "nothing" : image_) + " runs");
  for (const std::string& id : script_.alarms) {
    const auto found = alarm_states_.find(id);
    const std::string state = found == alarm_states_.end() ? "not open" : found->second;
    if (state != "firing") other.push_back(ShortName(id) + " is " + state);
  }
  return other;
}

bool Story::Expected(const std::string& alarm_id, bool approved) const {
  const auto among = [&](const std::vector<std::string>& ids) {
    return std::find(ids.begin(), ids.end(), alarm_id) != ids.end();
  };
  return among(script_.alarms) || (!approved && among(script_.late_alarms));
}

void Story::AddSendingChecks(bool approved, std::vector<CheckResult>& checks) const {
  std::vector<std::string> strange;
  std::int64_t opened = 0;
  for (const auto& [id, paged] : paged_) {
    opened += paged.opened;
    if (!Expected(id, approved)) {
      strange.push_back(id.empty() ? "(an event without alarm_id)" : id);
    } else if (paged.opened > 1) {
      strange.push_back(id + " again");
    }
  }
  std::set<std::string> told;
  for (const Post& post : posts_) told.insert(post.alarms.begin(), post.alarms.end());
  for (const std::string& id : told) {
    if (!Expected(id, approved) && !paged_.contains(id)) strange.push_back(id + " (Slack)");
  }
  for (const std::string& id : script_.alarms) {
    const auto found = paged_.find(id);
    const std::int64_t n = found == paged_.end() ? 0 : found->second.opened;
    checks.push_back(
        {n == 1, fmt::format("{}: {} in PagerDuty{}", ShortName(id), Count(n, "alert"),
                             n == 1 ? fmt::format(", {} from crossing to page",
                                                  Milliseconds(found->second.latency_ms))
                                    : ", 1 was to be")});
  }
  AddSlackChecks(approved, checks);
  checks.push_back(
      {strange.empty(), strange.empty()
                            ? "no alarm spoke up that should not"
                            : "unexpected: " + fmt::format("{}", fmt::join(strange, ", "))});
  checks.push_back(
      {breaches_.empty() && refused_ == 0,
       fmt::format(
           "{} in Slack, {} opened in PagerDuty; {} of the providers' contracts, {} refused",
           Count(static_cast<std::int64_t>(posts_.size()), "message"), Count(opened, "alert"),
           breaches_.empty() ? "no breach"
                             : Count(static_cast<std::int64_t>(breaches_.size()), "breach"),
           Count(refused_, "request"))});
}

// What Slack and PagerDuty were told of it, beside the alerts themselves.
void Story::AddSlackChecks(bool approved, std::vector<CheckResult>& checks) const {
  for (const std::string& id : script_.alarms) {
    const bool told = ToldInSlack(id, script_.firing_word);
    const bool resolved = ToldInSlack(id, script_.resolved_word);
    const char* what = !told      ? "not told in Slack"
                       : resolved ? "told and resolved in Slack"
                       : approved ? "told in Slack, its end is not"
                                  : "told in Slack";
    checks.push_back({told && (resolved || !approved), ShortName(id) + ": " + what});
  }
  const bool slack = ProposalInSlack();
  const bool pagerduty = ProposalInPagerDuty();
  checks.push_back(
      {slack && pagerduty,
       slack && pagerduty
           ? "the proposal, with how to approve it, in Slack and in PagerDuty's details"
           : fmt::format("the proposal is {} in Slack, {} in PagerDuty's details",
                         slack ? "shown" : "missing", pagerduty ? "shown" : "missing")});
  if (!approved) return;
  checks.push_back({OutcomeInSlack(), OutcomeInSlack() ? "the remedy's outcome told in Slack"
                                                       : "the remedy's outcome not told in Slack"});
}

std::vector<CheckResult> Story::Judge(
    const std::optional<std::vector<std::string>>& changes) const {
  std::vector<CheckResult> checks;
  AddSendingChecks(/*approved=*/true, checks);
  const std::string approver = proposal_ ? proposal_->approved_by : "";
  checks.push_back({!approver.empty(), approver.empty()
                                           ? "the rollback was not approved"
                                           : "the rollback was approved by " + approver});
  if (changes) {
    const std::int64_t undos = Undos(*changes);
    checks.push_back({undos == 1, Count(undos, "rollback") + " in the cluster's history"});
  }
  checks.push_back({image_ == script_.good_image, image_ + " runs"});
  const std::string outcome = proposal_ ? proposal_->outcome : "never proposed";
  checks.push_back(
      {outcome == "verified", "the remedy: " + (outcome.empty() ? "no outcome yet" : outcome)});
  std::int64_t open = 0;
  for (const AlarmView& alarm : open_) open += alarm.pages && alarm.state != "pending" ? 1 : 0;
  checks.push_back({all_resolved() && open == 0,
                    all_resolved() && open == 0
                        ? "everything resolved"
                        : fmt::format("not everything resolved: {} open", Count(open, "alarm"))});
  return checks;
}

std::vector<CheckResult> Story::JudgeUnapproved(
    const std::optional<std::vector<std::string>>& changes) const {
  std::vector<CheckResult> checks;
  AddSendingChecks(/*approved=*/false, checks);
  checks.push_back({proposal_ && proposal_->approved_by.empty() && !proposal_->running,
                    "the rollback was proposed, and did not run without approval"});
  if (changes) {
    checks.push_back(
        {Undos(*changes) == 0, Count(Undos(*changes), "rollback") + " in the cluster's history"});
  }
  return checks;
}

}  // namespace liveops::sandbox
