#include "deploy/local/workload/emitter.h"

#include <utility>

#include "common/base/labels.h"
#include "common/telemetry/log.h"

namespace liveops::workload {
namespace {

constexpr Duration kAnswerWithin{500};
constexpr Duration kDeploymentWithin{2'000};

client::Kind KindOf(Kind kind) {
  switch (kind) {
    case Kind::kCounterDelta:
      return client::Kind::kCounterDelta;
    case Kind::kCounterCumulative:
      return client::Kind::kCounterCumulative;
    case Kind::kGauge:
      return client::Kind::kGauge;
    case Kind::kObservation:
      return client::Kind::kObservation;
  }
  return client::Kind::kGauge;
}

client::Options OptionsOf(const std::string& address, const rpc::TlsFiles& tls,
                          const std::string& service, const std::string& instance) {
  client::Options options;
  options.address = address;
  options.tls = tls;
  options.service = service;
  options.emitter = instance;
  options.retry_longest = Duration(500);
  return options;
}

}  // namespace

Emitter::Emitter(const std::string& address, const rpc::TlsFiles& tls, const std::string& service,
                 const std::string& instance)
    : instance_(instance),
      client_(client::Client::Start(OptionsOf(address, tls, service, instance))) {}

void Emitter::Add(const std::vector<Sample>& samples, RealTime end, Duration length) {
  if (started_ == RealTime{}) started_ = end - length;
  for (const Sample& sample : samples) {
    Labels::Pairs labels = sample.labels;
    labels.emplace_back("instance", instance_);
    const auto series =
        client_->Define({sample.metric, sample.unit, KindOf(sample.kind), std::move(labels)});
    Duration covered{0};
    if (sample.kind == Kind::kCounterDelta) covered = length;
    if (sample.kind == Kind::kCounterCumulative) covered = end - started_;
    client_->Record(series, sample.value, end, covered);
  }
}

bool Emitter::Flush() {
  // While ingest is away nobody waits for it at each step.
  const bool sent = client_->Flush(away_ ? Duration(1) : kAnswerWithin);
  if (!sent && !away_) {
    log::Warn("ingest_away", {{"emitter", instance_}, {"error", client_->statistics().last_error}});
  }
  if (sent && away_) log::Info("ingest_back", {{"emitter", instance_}});
  away_ = !sent;
  TellOfRefusals();
  return sent;
}

void Emitter::TellOfRefusals() {
  const client::Statistics statistics = client_->statistics();
  for (const auto& [reason, points] : statistics.refused) {
    if (!told_.insert(reason).second) continue;
    log::Warn("points_refused", {{"emitter", instance_},
                                 {"reason", reason},
                                 {"points", points},
                                 {"example", statistics.examples.at(reason)}});
  }
  if (statistics.given_up > 0 && told_.insert("given up").second) {
    log::Warn("batches_given_up", {{"emitter", instance_}, {"points", statistics.given_up}});
  }
}

Status Emitter::ReportDeployment(const std::string& revision, const std::string& description) {
  return client_->ReportDeployment(revision, description, kDeploymentWithin);
}

}  // namespace liveops::workload
