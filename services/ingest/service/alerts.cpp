#include "services/ingest/service/alerts.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/labels.h"
#include "common/base/text.h"
#include "services/ingest/service/flight.h"

namespace liveops::ingest {
namespace {

std::string Shown(std::string_view text) { return "\"" + ScrubUtf8(Truncate(text, 40)) + "\""; }

// Valid UTF-8 of at most so many bytes, for people.
std::string Sentence(std::string_view text, std::size_t most) {
  return Truncate(ScrubUtf8(text), most);
}

std::string Url(std::string_view text, std::size_t most) {
  return text.size() <= most && IsPlainText(text) ? std::string(text) : "";
}

}  // namespace

std::size_t Alerts::ServiceLabelOf(const ForeignAlert& alert) const {
  for (const std::string& wanted : settings_.service_labels) {
    for (std::size_t i = 0; i < alert.labels.size(); ++i) {
      if (alert.labels[i].first == wanted && !alert.labels[i].second.empty()) return i;
    }
  }
  return alert.labels.size();
}

bool Alerts::NamesService(const ForeignAlert& alert) const {
  return !alert.service.empty() || ServiceLabelOf(alert) < alert.labels.size();
}

std::string Alerts::ServiceOf(ForeignAlert& alert) const {
  if (!alert.service.empty()) return alert.service;
  const std::size_t at = ServiceLabelOf(alert);
  if (at == alert.labels.size()) return "";
  std::string service = alert.labels[at].second;
  alert.labels.erase(alert.labels.begin() + static_cast<std::ptrdiff_t>(at));
  return service;
}

Status Alerts::CheckLabels(const ForeignAlert& alert) const {
  if (alert.name.empty()) return InvalidError("it has no name");
  if (!IsPlainText(alert.name))
    return InvalidError("its name " + Shown(alert.name) +
                        " is not UTF-8 or has control characters");
  if (alert.labels.size() > settings_.labels) {
    return InvalidError("it has " + std::to_string(alert.labels.size()) + " labels, at most " +
                        std::to_string(settings_.labels) + " are allowed");
  }
  std::size_t bytes = alert.name.size();
  for (const auto& [name, value] : alert.labels) {
    if (name.empty()) return InvalidError("a label has no name");
    if (name.size() > settings_.label_name_bytes || value.size() > settings_.label_value_bytes) {
      return InvalidError("label " + Shown(name) + " is too long: a name may have " +
                          std::to_string(settings_.label_name_bytes) + " bytes and a value " +
                          std::to_string(settings_.label_value_bytes));
    }
    if (!IsPlainText(name) || !IsValidUtf8(value))
      return InvalidError("label " + Shown(name) +
                          " is not UTF-8, or its name has control characters");
    bytes += name.size() + value.size();
  }
  if (bytes > settings_.identity_bytes) {
    return InvalidError("its name and labels are " + std::to_string(bytes) +
                        " bytes long, at most " + std::to_string(settings_.identity_bytes) +
                        " are allowed");
  }
  return {};
}

Status Alerts::Fill(std::string_view source, ForeignAlert& alert, RealTime now,
                    v1::ExternalAlert& out) const {
  const std::string service = ServiceOf(alert);
  if (service.empty()) {
    std::string wanted;
    for (const std::string& label : settings_.service_labels)
      wanted += (wanted.empty() ? "" : ", ") + label;
    return InvalidError("no label names its service; one of them must: " + wanted);
  }
  if (Status s = admit::CheckService(service, core_.settings().limits); !s) return s;
  if (Status s = CheckLabels(alert); !s) return s;
  out.set_service(service);
  out.set_source(std::string(source));
  out.set_name(alert.name);
  const Labels labels(std::move(alert.labels));
  for (const auto& [name, value] : labels) {
    v1::Label& label = *out.add_labels();
    label.set_name(name);
    label.set_value(value);
  }
  out.set_severity(Sentence(alert.severity, 64));
  out.set_summary(Sentence(alert.summary, settings_.summary_bytes));
  out.set_description(Sentence(alert.description, settings_.description_bytes));
  out.set_runbook(Url(alert.runbook, settings_.url_bytes));
  out.set_link(Url(alert.link, settings_.url_bytes));
  const TimeMap map = core_.map();
  out.set_firing(!alert.over && (!alert.ends || *alert.ends > now));
  out.set_starts_ms(ToMs(map.ToDomain(std::min(alert.starts.value_or(now), now))));
  std::optional<RealTime> until = alert.ends;
  if (out.firing() && !until && alert.good_for) until = now + *alert.good_for;
  if (!out.firing() && (!until || *until > now)) until = now;
  if (until) out.set_valid_until_ms(ToMs(map.ToDomain(*until)));
  return {};
}

void Alerts::Take(std::string_view source, ForeignAlerts alerts, std::size_t bytes,
                  const rpc::Peer& peer, std::string_view traceparent, Done done) {
  const Result<RealTime> now = core_.Gate(bytes);
  if (!now) return done(now.error());
  const auto flight = std::make_shared<Flight<Answer>>();
  flight->answer.problems = std::move(alerts.problems);
  flight->done = std::move(done);
  std::vector<v1::ShardRecord> records;
  std::size_t denied = 0;
  for (ForeignAlert& alert : alerts.alerts) {
    v1::ShardRecord record;
    const std::string name = Shown(alert.name);
    Status s = Fill(source, alert, *now, *record.mutable_alert());
    if (s.ok()) s = core_.CheckWriter(peer, record.alert().service(), 0);
    if (s.ok()) {
      records.push_back(std::move(record));
      continue;
    }
    if (s.error().code == ErrorCode::kDenied) ++denied;
    flight->answer.problems.push_back("alert " + name + ": " + s.error().message);
  }
  flight->answer.taken = records.size();
  core_.CountAlerts(records.size(), flight->answer.problems.size());
  if (records.empty()) {
    if (denied > 0 && denied == flight->answer.problems.size())
      return flight->done(DeniedError(flight->answer.problems.front()));
    return flight->done(flight->answer);
  }
  flight->left = records.size();
  for (v1::ShardRecord& record : records) {
    const std::string service = record.alert().service();
    core_.Report(service, std::move(record), &record == &records.front() ? bytes : 0, traceparent,
                 [flight](const Status& s) { flight->Landed(s); });
  }
}

}  // namespace liveops::ingest
