#include <fmt/format.h>

#include <algorithm>

#include "services/liveopsctl/log/service_log.h"
#include "services/liveopsctl/progress.h"
#include "services/liveopsctl/rehearsal_files.h"

namespace liveops::ctl {
namespace {

constexpr std::uint64_t kLookEvery = 5'000;  // records

// The partitions of all, the home first; an error where one of them cannot be judged.
Result<std::vector<std::int32_t>> Begin(std::span<rehearse::Backtest* const> backtests,
                                        const rehearse::LogPlaces& places) {
  std::vector<std::int32_t> all;
  for (rehearse::Backtest* backtest : backtests) {
    if (Status s = backtest->BeginLog(places); !s.ok()) return s.error();
    for (const std::int32_t partition : backtest->partitions()) {
      if (std::find(all.begin(), all.end(), partition) == all.end()) all.push_back(partition);
    }
  }
  return all;
}

}  // namespace

std::optional<kafka::ClientConfig> KafkaOf(Session& session, const std::string& address) {
  const Settings* settings = session.LoadedSettings();
  if (settings == nullptr) return std::nullopt;
  kafka::ClientConfig config;
  config.brokers = address.empty() ? settings->kafka : address;
  config.client_id = "liveopsctl-" + session.world().host;
  config.extra = settings->kafka_properties;
  if (!config.brokers.empty()) return config;
  session.Usage(
      fmt::format("no address of Kafka: give --kafka HOST:PORT, or write `kafka: "
                  "HOST:PORT` in {}",
                  settings->file.empty() ? "a file named by --config" : settings->file));
  return std::nullopt;
}

bool ReadLog(Session& session, const PlayedSource& source, const std::string& service,
             std::span<rehearse::Backtest* const> backtests, rehearse::LogSpan& span, int& code) {
  // Before the first connection: its threads must not get the signals.
  const std::unique_ptr<Interrupt> interrupt = session.world().interrupts();
  const std::optional<kafka::ClientConfig> config = KafkaOf(session, source.kafka);
  code = kExitUsage;
  if (!config) return false;
  const auto fail = [&](const Error& error) {
    code = session.Fail(error);
    return false;
  };
  LogQuery query;
  query.service = service;
  if (source.from_ms) query.from = InstantFromMs(*source.from_ms);
  if (source.to_ms) query.to = InstantFromMs(*source.to_ms);
  query.last = source.last;
  auto log = ServiceLog::Open(
      [&] { return session.world().open_kafka(*config, session.timeout()); }, query,
      [&](const rehearse::LogPlaces& places) { return Begin(backtests, places); },
      session.timeout());
  if (!log.ok()) return fail(log.error());
  ProgressLine progress(session.world());
  bool interrupted = false;
  for (std::uint64_t read = 0; !interrupted; ++read) {
    const auto next = log->Next();
    if (!next.ok()) return fail(next.error());
    if (next->record == nullptr) break;
    for (rehearse::Backtest* backtest : backtests) backtest->Take(next->partition, *next->record);
    if (read % kLookEvery != 0) continue;
    progress.Show(service, log->part());
    interrupted = interrupt->WaitFor(Duration(0));
  }
  span = log->span();
  span.interrupted = interrupted;
  if (span.records() > span.unreadable()) return true;
  return fail(NotFoundError(fmt::format("the log of {} has no record that can be read", service)));
}

}  // namespace liveops::ctl
