#include "services/ingest/service/log_intake.h"

#include <chrono>
#include <utility>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/runtime/topics.h"
#include "services/ingest/codec/log_batches.h"
#include "services/ingest/service/flight.h"

namespace liveops::ingest {
namespace {

SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }

constexpr const char* kWay = "otlp-logs";  // as EmitterName has it

}  // namespace

Result<RealTime> LogIntake::Enter(std::size_t bytes) {
  // Of the brokers the points' producer knows, which has ticks to send: this one first connects
  // when it has lines.
  const Result<RealTime> now = core_.Gate(0);
  if (!now) return now.error();
  if (in_flight_bytes_.fetch_add(bytes) + bytes > settings_.in_flight_bytes_max) {
    in_flight_bytes_ -= bytes;
    return UnavailableError(
        "this ingest holds as many bytes of log lines as it may until Kafka has acknowledged them "
        "(" +
        std::to_string(settings_.in_flight_bytes_max) + ")");
  }
  return *now;
}

void LogIntake::Export(std::string_view request, const rpc::Peer& peer,
                       std::string_view traceparent, Done done) {
  const std::size_t bytes = request.size();
  done = core_.Heard(peer, kWay, bytes, std::move(done));
  // Before it is read: what there is no room for costs next to nothing.
  if (bytes + in_flight_bytes_ > settings_.in_flight_bytes_max) {
    ++requests_;
    ++refused_requests_;
    return done(
        UnavailableError("this ingest holds too many log lines that Kafka has not "
                         "acknowledged yet"));
  }
  Result<OtlpLogs> read = ReadOtlpLogs(request, settings_.limits);
  if (!read) {
    ++requests_;
    return done(read.error());
  }
  Take(*std::move(read), bytes, peer, traceparent, std::move(done));
}

void LogIntake::Take(OtlpLogs logs, std::size_t bytes, const rpc::Peer& peer,
                     std::string_view traceparent, Done done) {
  ++requests_;
  std::uint64_t lines_in_all = 0;
  for (const admit::LogGroup& group : logs.groups) lines_in_all += group.lines.size();
  if (const Status s = core_.TakeFromRate({peer.name, "", kWay}, lines_in_all, bytes); !s) {
    ++refused_requests_;
    return done(s.error());
  }
  const Result<RealTime> now = Enter(bytes);
  if (!now) {
    ++refused_requests_;
    return done(now.error());
  }
  WriteAnswer answer;
  Tallies tallies;
  admit::Admission all;
  std::vector<Outgoing> records;
  for (admit::LogGroup& group : logs.groups) {
    const std::uint64_t lines = group.lines.size();
    if (const Status s = admit::CheckService(group.service, core_.settings().limits); !s) {
      all.Reject(admit::Refusal::kBadService, lines, s.error().message);
      continue;
    }
    if (const Status may = Core::MayWrite(peer, group.service, lines); !may) {
      all.Reject(admit::Refusal::kForeign, lines, may.error().message);
      continue;
    }
    LogCounts::Tally tally;
    const LogRules::Counts counts = rules_.Of(group.service);
    std::erase_if(group.lines, [&](admit::LogLine& line) {
      const auto refusal = admit::CheckLogTime(line, core_.settings().limits, *now);
      if (refusal) {
        all.Reject(*refusal, 1,
                   admit::TimeFault(line.time_ms, *now, core_.settings().limits) + ": " +
                       Truncate(line.message, 100));
      } else if (*now - RealFromMs(line.time_ms) <= kCountedFor) {
        tally.Add(line, counts.get());
      } else {
        ++late_lines_;
      }
      return refusal.has_value();
    });
    if (group.lines.empty()) continue;
    tallies[group.service].Add(tally);
    answer.accepted_points += group.lines.size();
    answer.services.push_back(group.service);
    const std::string emitter = LogEmitterOf(core_);
    wire::Source source{emitter, core_.settings().session, 0};
    source.sequence = sequence_.fetch_add(group.lines.size()) + 1;
    for (std::string& record :
         EncodeLogs(group, core_.map(), core_.settings().record_bytes_max, source)) {
      records.push_back({PartitionOf(group.service, core_.settings().partitions), group.service,
                         std::move(record)});
    }
  }
  Count(all.rejections);
  answer.rejections = std::move(all.rejections);
  Done landed = [this, bytes, tallies = std::move(tallies),
                 done = std::move(done)](const Result<WriteAnswer>& result) {
    in_flight_bytes_ -= bytes;
    Answer(result, tallies, done);
  };
  Send(std::move(records), Core::TraceHeader(traceparent), std::move(answer), std::move(landed));
}

void LogIntake::Send(std::vector<Outgoing> records, const std::string& trace_header,
                     WriteAnswer answer, Done landed) {
  const auto flight = std::make_shared<Flight<WriteAnswer>>();
  flight->left = records.size() + 1;  // itself: there may be none, and none is answered before all
  flight->answer = std::move(answer);
  flight->done = std::move(landed);
  for (Outgoing& outgoing : records) {
    const std::size_t bytes = outgoing.record.size();
    in_flight_bytes_ += bytes;
    producer_.Produce(runtime::topic::kLogs, outgoing.partition, outgoing.service,
                      std::move(outgoing.record), {{runtime::kTraceHeader, trace_header}},
                      [this, flight, bytes](const Result<kafka::Delivery>& result) {
                        in_flight_bytes_ -= bytes;
                        flight->Landed(result.ok() ? Status() : Status(result.error()));
                      });
  }
  flight->Landed({});
}

void LogIntake::Answer(const Result<WriteAnswer>& result, const Tallies& tallies,
                       const Done& done) {
  if (!result) {
    ++refused_requests_;
    if (result.error().code == ErrorCode::kInvalid) return done(result);
    // Some of its lines may stand in the log: then they stand there twice when they come again.
    return done(UnavailableError("Kafka did not acknowledge: " + result.error().message));
  }
  for (const auto& [service, tally] : tallies) counts_.Add(service, tally, SteadyNow());
  accepted_lines_ += result->accepted_points;
  done(result);
}

void LogIntake::Count(const std::vector<admit::Rejection>& rejections) {
  for (const admit::Rejection& rejection : rejections)
    rejected_lines_[static_cast<std::size_t>(rejection.reason)] += rejection.points;
}

void LogIntake::AddMetrics(metrics::List& list) const {
  const auto count = [&](const char* name, const char* help, std::uint64_t value) {
    list.Counter(std::string("ingest_") + name + "_total", help, static_cast<double>(value), name);
  };
  count("log_requests", "Requests with log lines that came.", requests_);
  count("log_requests_refused", "Requests with log lines that were refused for now.",
        refused_requests_);
  count("log_lines", "Log lines that Kafka has acknowledged.", accepted_lines_);
  count("log_lines_too_late_to_count", "Log lines that were kept, but too old to be counted.",
        late_lines_);
  count("log_lines_of_too_many_services", "Log lines that were kept, but not counted.",
        counts_.not_counted());
  for (std::size_t i = 0; i < admit::kRefusals; ++i) {
    const std::string word = admit::RefusalWord(static_cast<admit::Refusal>(i));
    const std::uint64_t lines = rejected_lines_[i];
    list.Counter("ingest_log_lines_rejected_total", "Log lines refused for good, by reason.",
                 static_cast<double>(lines), lines > 0 ? "rejected_log_lines." + word : "",
                 {{"reason", word}});
  }
  list.Gauge("ingest_log_in_flight_bytes",
             "Requests with log lines and their records that Kafka has not acknowledged yet.",
             static_cast<double>(in_flight_bytes_), "log_in_flight_bytes");
}

std::map<std::string, double> LogIntake::Counters() const {
  metrics::List list;
  AddMetrics(list);
  return list.ForStatus();
}

}  // namespace liveops::ingest
