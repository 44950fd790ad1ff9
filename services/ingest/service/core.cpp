#include "services/ingest/service/core.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace.h"
#include "services/ingest/admit/series_table.h"
#include "services/ingest/admit/split.h"
#include "services/ingest/codec/native.h"
#include "services/ingest/service/flight.h"

namespace liveops::ingest {
namespace {

constexpr Duration kRetryAfter(1'000);

SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }

}  // namespace

bool Core::Allowed(const rpc::Peer& peer, std::string_view service) {
  return peer.services.empty() || peer.services.contains(std::string(service));
}

std::string Core::TraceHeader(std::string_view traceparent) {
  const auto parent = ParseTraceparent(traceparent);
  return (parent ? ChildOf(*parent) : NewTrace()).ToHeader();
}

Core::Core(Settings settings, kafka::Producer& producer)
    : settings_(std::move(settings)),
      producer_(producer),
      clock_(settings_.partitions),
      census_(settings_.limits.series_per_service, settings_.limits.series_in_all),
      refusals_(settings_.partitions),
      rates_(settings_.rates) {}

void Core::Open(const TimeMap& map) {
  {
    const std::lock_guard lock(map_mutex_);
    map_ = map;
  }
  open_ = true;
}

void Core::Close() { closed_ = true; }

bool Core::accepting() const {
  return open_ && !closed_ && clock_.Now(SteadyNow()).has_value() && knows_spreads();
}

bool Core::knows_spreads() const { return spreads_.Fresh(SteadyNow()); }

TimeMap Core::map() const {
  const std::lock_guard lock(map_mutex_);
  return map_;
}

double Core::domain_speed() const { return map().speed; }

Result<RealTime> Core::Gate(std::size_t bytes) const {
  if (closed_) return UnavailableError("this ingest is stopping");
  if (!open_) return UnavailableError("this ingest is starting: it waits for Kafka");
  if (!producer_.connected()) return UnavailableError("Kafka is out of reach");
  if (in_flight_bytes_ + bytes > settings_.in_flight_bytes_max) {
    return UnavailableError("this ingest holds " + std::to_string(in_flight_bytes_.load()) +
                            " bytes that Kafka has not acknowledged yet, its limit is " +
                            std::to_string(settings_.in_flight_bytes_max));
  }
  const SteadyTime steady = SteadyNow();
  const auto now = clock_.Now(steady);
  if (!now) return UnavailableError("this ingest does not know the brokers' time yet");
  if (!spreads_.Fresh(steady)) {
    return UnavailableError("this ingest could not read the plans to their end for " +
                            FormatDuration(kPlansReadWithin) +
                            ", so it may not know over how many partitions a service is spread");
  }
  return *now;
}

void Core::Tell(std::string_view service, std::uint64_t points) {
  if (points == 0 || !admit::CheckService(service, settings_.limits).ok()) return;
  refusals_.Add(service, points, spreads_.WidestOf(service));
}

Error Core::Refuse(std::string_view service, std::uint64_t points, Error why) {
  (why.code == ErrorCode::kUnavailable ? refused_points_ : invalid_points_) += points;
  Tell(service, points);
  return why;
}

Status Core::MayWrite(const rpc::Peer& peer, std::string_view service, std::uint64_t points) {
  if (Allowed(peer, service)) return {};
  const std::string wanted = Truncate(service, 128);
  log::Warn("foreign_service", {{"peer", peer.name}, {"wanted", wanted}, {"points", points}});
  return DeniedError("\"" + ScrubUtf8(Truncate(peer.name, 128)) +
                     "\" may not write the service \"" + ScrubUtf8(wanted) + "\"");
}

Status Core::CheckWriter(const rpc::Peer& peer, std::string_view service, std::uint64_t points) {
  Status may = MayWrite(peer, service, points);
  if (!may) rejected_points_[static_cast<std::size_t>(admit::Refusal::kForeign)] += points;
  return may;
}

void Core::Count(const std::vector<admit::Rejection>& rejections) {
  for (const admit::Rejection& rejection : rejections) {
    rejected_points_[static_cast<std::size_t>(rejection.reason)] += rejection.points;
  }
}

void Core::CountNewcomers(std::string_view service,
                          const std::vector<admit::Rejection>& rejections) {
  for (const admit::Rejection& rejection : rejections) {
    if (rejection.reason != admit::Refusal::kTooManySeries) continue;
    const std::lock_guard lock(newcomers_mutex_);
    const auto known = newcomers_.find(service);
    if (known != newcomers_.end()) {
      known->second += rejection.points;
    } else if (newcomers_.size() < kNewcomersOfMax) {
      newcomers_.emplace(service, rejection.points);
    } else {
      newcomers_[""] += rejection.points;  // of all further ones
    }
  }
}

Status Core::TakeFromRate(const EmitterName& emitter, std::uint64_t points, std::size_t bytes) {
  const std::lock_guard lock(rates_mutex_);
  const auto over = rates_.Take(emitter.identity, points, bytes, SteadyNow());
  if (!over) return {};
  emitters_.OverRate(emitter);
  return UnavailableError("\"" + Truncate(emitter.identity, 128) + "\" sends more than " +
                          FormatNumber(over->per_second) + (over->points ? " points" : " bytes") +
                          " a second; again in " + FormatElapsed(over->wait));
}

Duration Core::RetryAfter(std::string_view identity) const {
  const std::lock_guard lock(rates_mutex_);
  return std::max(kRetryAfter, rates_.Wait(identity, SteadyNow()));
}

void Core::Lay(const wire::Source& source, std::string_view service, Protocol protocol,
               const admit::Admitted& batch, std::vector<Outgoing>& out) const {
  const SpreadBook::Steps steps = spreads_.StepsOf(service);
  if (!steps) {
    out.push_back({service, PartitionOf(service, settings_.partitions),
                   EncodeBatch(source, service, protocol, batch), batch.points()});
    return;
  }
  for (const admit::Part& part :
       admit::Split(batch, service, *steps, map(), settings_.partitions)) {
    out.push_back({service, part.partition, EncodeBatch(source, service, protocol, part.batch),
                   part.batch.points()});
  }
}

void Core::Send(std::vector<Outgoing> records, std::size_t bytes, const std::string& trace_header,
                WriteAnswer answer, Done done) {
  if (records.size() == 1) {  // as of every service that is not spread
    return Append(std::move(records.front()), bytes, trace_header,
                  [answer = std::move(answer), done = std::move(done)](const Status& s) {
                    if (!s) return done(s.error());
                    done(answer);
                  });
  }
  const auto flight = std::make_shared<Flight<WriteAnswer>>();
  flight->left = records.size();
  flight->answer = std::move(answer);
  flight->done = std::move(done);
  for (Outgoing& outgoing : records) {
    // The request's own bytes are held by the first.
    Append(std::move(outgoing), &outgoing == &records.front() ? bytes : 0, trace_header,
           [flight](const Status& s) { flight->Landed(s); });
  }
}

void Core::Append(Outgoing outgoing, std::size_t bytes, const std::string& trace_header,
                  std::function<void(const Status&)> done) {
  const std::size_t held = bytes + outgoing.record.size();
  in_flight_bytes_ += held;
  const SteadyTime began = SteadyNow();
  producer_.Produce(
      runtime::topic::kMetrics, outgoing.partition, outgoing.service, std::move(outgoing.record),
      {{runtime::kTraceHeader, trace_header}},
      [this, name = std::string(outgoing.service), held, points = outgoing.points, began,
       done = std::move(done)](const Result<kafka::Delivery>& result) {
        in_flight_bytes_ -= held;
        if (result.ok()) {
          kafka_seconds_.Observe(std::chrono::duration<double>(SteadyNow() - began).count());
          accepted_points_ += points;
          return done({});
        }
        Error error = result.error();
        if (error.code == ErrorCode::kInvalid) return done(Refuse(name, points, std::move(error)));
        // It may stand in the log after all; the retry is recognised by its source, or by series
        // and time.
        error = {ErrorCode::kUnavailable, "Kafka did not acknowledge: " + error.message};
        done(Refuse(name, points, std::move(error)));
      });
}

Status Core::RememberSeries(std::size_t bytes) {
  if ((series_bytes_ += bytes) <= settings_.series_bytes_max) return {};
  series_bytes_ -= bytes;
  return UnavailableError("the open streams' series take " + std::to_string(series_bytes_.load()) +
                          " bytes, at most " + std::to_string(settings_.series_bytes_max) +
                          " are allowed");
}

Result<admit::Admission> Core::Judge(const std::string& emitter, const admit::BatchInput& batch,
                                     admit::SeriesTable* series, std::optional<Duration> past) {
  const auto events = past ? std::nullopt : admit::MedianTime(batch);
  const auto reading = clock_.NowFor(emitter, events, SteadyNow());
  if (!reading) return UnavailableError("this ingest does not know the brokers' time yet");
  Census::Sight census = census_.Of(batch.service, reading->now);
  admit::Limits limits = settings_.limits;
  limits.past = past.value_or(limits.past);
  Result<admit::Admission> admission =
      series == nullptr ? admit::Admit(batch, limits, reading->now, map(), &census)
                        : admit::Admit(batch, *series, limits, reading->now, map(), &census);
  if (admission.ok() && reading->doubted && admission->refused_for_time()) {
    return UnavailableError(
        "the brokers' time has stepped, and whether that is true is not known yet");
  }
  return admission;
}

void Core::Write(const WriteInput& request, std::size_t bytes, const rpc::Peer& peer,
                 std::string_view traceparent, Done done) {
  ++requests_;
  const admit::BatchInput& batch = request.batch;
  const EmitterName emitter{peer.name, std::string(request.source.emitter),
                            ProtocolWord(Protocol::kNative)};
  done = emitters_.Follow(emitter, bytes, SteadyNow(), std::move(done));
  const std::uint64_t points = batch.points();
  if (const Status s = CheckWriter(peer, batch.service, points); !s) return done(s.error());
  // From here on whatever is not taken is told by the ticks.
  const auto refuse = [&](const Error& why) { done(Refuse(batch.service, points, why)); };
  if (const Status s = CheckSource(request.source); !s) return refuse(s.error());
  if (const Result<RealTime> open = Gate(bytes); !open) return refuse(open.error());
  if (const Status s = TakeFromRate(emitter, points, bytes); !s) return refuse(s.error());

  Result<admit::Admission> admission =
      Judge(peer.name + '\n' + std::string(request.source.emitter), batch, request.series);
  if (!admission) return refuse(admission.error());
  WriteAnswer answer{admission->batch.points(),
                     std::move(admission->rejections),
                     {},
                     admission->batch.histograms.size()};
  CountNewcomers(batch.service, answer.rejections);
  if (answer.accepted_points == 0) {
    Count(answer.rejections);
    Tell(batch.service, points);
    return done(answer);
  }
  std::vector<Outgoing> records;
  Lay(request.source, batch.service, Protocol::kNative, admission->batch, records);
  for (const Outgoing& outgoing : records) {
    if (outgoing.record.size() <= settings_.record_bytes_max) continue;
    return refuse(InvalidError("the batch needs a record of " +
                               std::to_string(outgoing.record.size()) + " bytes, at most " +
                               std::to_string(settings_.record_bytes_max) +
                               " are allowed; send it in parts"));
  }
  Count(answer.rejections);
  answer.services.emplace_back(batch.service);
  Tell(batch.service, points - answer.accepted_points);
  Send(std::move(records), bytes, TraceHeader(traceparent), std::move(answer), std::move(done));
}

void Core::CountTick(bool delivered) { ++(delivered ? ticks_ : ticks_lost_); }

}  // namespace liveops::ingest
