#include "services/notifier/service/compose.h"

#include "common/base/text.h"
#include "common/runtime/exemplars.h"
#include "services/notifier/channel/pagerduty/pagerduty.h"
#include "services/notifier/channel/slack/slack.h"
#include "services/notifier/service/error_lines.h"
#include "services/notifier/service/exemplars.h"

namespace liveops::notifier {
namespace {

constexpr std::size_t kTracesOnPage = 3;

std::string Joined(const v1::Action& action) {
  std::string out;
  for (const std::string& arg : action.argv()) {
    const bool plain = !arg.empty() && arg.find_first_of(" \t\"'\\$`") == std::string::npos;
    if (!out.empty()) out += ' ';
    out += plain ? arg : "'" + arg + "'";
  }
  return out;
}

PageRemedy RemedyOnPage(const RemedyFacts& facts, const plan::Plan* plan) {
  PageRemedy remedy;
  remedy.id = facts.id;
  remedy.scenario = facts.proposed.scenario();
  remedy.description = facts.proposed.action().description();
  remedy.command = Joined(facts.proposed.action());
  remedy.condition = facts.proposed.condition();
  remedy.approver = facts.proposed.approver_owner();
  if (const plan::Owner* owner = plan ? plan->FindOwner(remedy.approver) : nullptr) {
    if (!owner->title.empty()) remedy.approver = owner->title;
  }
  remedy.expires = InstantFromMs(facts.proposed.expires_ms());
  remedy.end = facts.end;
  remedy.end_detail = facts.end_detail;
  remedy.approved_by = facts.approved_by;
  if (facts.proposed.action().argv().empty()) {
    // Nothing was resolved, or a guardrail said no: what stands in the action's place is the
    // reason.
    remedy.description = remedy.scenario + " on " + facts.proposed.action().target();
  }
  if (remedy.description.empty()) remedy.description = remedy.command;
  return remedy;
}

std::vector<PageTrace> TracesOnPage(const Exemplars& exemplars, const v1::AlarmTransition& alarm) {
  std::vector<PageTrace> out;
  for (const v1::Exemplar& e :
       runtime::TellingExemplars(alarm,
                                 exemplars.Of(alarm.service(), runtime::ExemplarsFrom(alarm),
                                              runtime::ExemplarsUntil(alarm)),
                                 kTracesOnPage)) {
    out.push_back({InstantFromMs(e.time_ms()), runtime::OperationOf(e),
                   FormatValue(e.value(), e.unit()), runtime::HasFailed(e), runtime::TraceIdOf(e)});
  }
  return out;
}

Page PageOfGroup(const Group& group, const NoticeDecision& notice) {
  if (group.phase == Phase::kNone) {
    Page page;
    page.phase = Phase::kNone;
    page.alarm_id = group.alarm_id;
    page.service = group.service;
    page.episode = group.episode;
    page.severity = group.severity;
    page.owner = group.owner;
    return page;
  }
  const bool closing = notice.notice == Notice::kResolved;
  Page page = PageOf(closing ? group.last : group.opening, group.phase);
  // The engine's record of a replaced episode says nothing of its end.
  if (group.phase == Phase::kReplaced) page.clock = group.ended;
  return page;
}

// A provider may repeat what it was sent; a log and a topic must not hold it.
void Strike(std::string& text, const std::string& secret) {
  if (secret.size() < 8) return;
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret)) {
    text.replace(at, secret.size(), "***");
  }
}

}  // namespace

Page ComposePage(Registry& registry, const Group& group, const NoticeDecision& notice) {
  Page page = PageOfGroup(group, notice);
  page.notice = notice.notice;
  page.may_repeat = notice.may_repeat;
  page.severity_before = notice.was;
  const plan::Plan* plan = registry.PlanOf(group.service);
  if (plan) page.response = plan->ResponseTo(page.severity);
  if (!page.origin.empty()) page.owner = registry.OwnerOf(group);
  if (const plan::Owner* owner = plan ? plan->FindOwner(page.owner) : nullptr) {
    if (!owner->title.empty()) page.owner = owner->title;
  }
  if (const Acknowledged* ack = registry.AcknowledgedBy(group.id)) page.acknowledged_by = ack->by;
  if (!notice.subject.empty()) {
    for (const RemedyFacts* facts : registry.RemediesOf(group)) {
      if (facts->id == notice.subject) page.remedies.push_back(RemedyOnPage(*facts, plan));
    }
  } else if (IsOpening(notice.notice)) {
    for (const RemedyFacts* facts : registry.OpenRemediesForPage(group)) {
      page.remedies.push_back(RemedyOnPage(*facts, plan));
    }
    if (const ErrorLines* lines = registry.error_lines())
      page.error_lines = lines->Of(group.service, page.clock);
    if (const Exemplars* exemplars = registry.exemplars())
      page.traces = TracesOnPage(*exemplars, group.opening);
  }
  return page;
}

Message ComposeMessage(Registry& registry, const Group& group, const Destination& destination,
                       const NoticeDecision& notice, const Settings& settings) {
  const Page page = ComposePage(registry, group, notice);
  Message message;
  if (destination.channel == Channel::kSlack) {
    message.url = settings.slack_webhooks.at(destination.name);
    message.body = slack::Render(page, settings.language);
  } else {
    message.url = settings.pagerduty_url;
    message.body =
        pagerduty::Render(page, settings.language, settings.pagerduty_keys.at(destination.name));
    message.dedup_key = DedupKey(group.alarm_id, group.episode);
  }
  return message;
}

http::Request ToRequest(const Message& message) {
  http::Request request;
  request.url = message.url;
  request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
  request.body = message.body;
  return request;
}

Reading ReadOutcome(const Destination& destination, const http::Outcome& outcome,
                    const Settings& settings) {
  Answer answer;
  answer.answered = outcome.answered;
  answer.status = outcome.response.status;
  answer.body = outcome.response.body;
  const auto retry_after = outcome.response.headers.find("retry-after");
  if (retry_after != outcome.response.headers.end()) answer.retry_after = retry_after->second;
  answer.surely_not_sent = outcome.surely_not_sent;
  answer.error = outcome.error.message;
  const bool slack = destination.channel == Channel::kSlack;
  const auto& secrets = slack ? settings.slack_webhooks : settings.pagerduty_keys;
  const auto secret = secrets.find(destination.name);
  if (secret != secrets.end()) {
    Strike(answer.body, secret->second);
    Strike(answer.error, secret->second);
  }
  return slack ? slack::ReadAnswer(answer) : pagerduty::ReadAnswer(answer);
}

}  // namespace liveops::notifier
