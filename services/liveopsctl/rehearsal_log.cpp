#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/plan/parse.h"
#include "services/liveopsctl/log/partition_log.h"
#include "services/liveopsctl/progress.h"
#include "services/liveopsctl/rehearsal_files.h"

namespace liveops::ctl {
namespace {

constexpr std::uint64_t kLookEvery = 5'000;  // records

// "" unless the record says that the service's series lie on more partitions than the one that is
// read: of a part of them nothing can be judged. Where a plan is known to lie on one, what others
// say is of the services that it reads; `alone` is kept for the next record.
std::string SpreadFault(const engine::RecordView& record, const std::string& service, bool& alone) {
  const auto* readings = std::get_if<engine::ReadingsView>(&record.body);
  if (readings != nullptr && readings->service == service && !alone) {
    return fmt::format(
        "{} is spread over several partitions, or a plan of it reads other services, and the log "
        "of one partition holds only a part of the series; a recording can be played by `plan "
        "backtest --data`",
        service);
  }
  const auto* plan = std::get_if<engine::PlanActivationView>(&record.body);
  if (plan == nullptr || plan->service != service) return "";
  const int spread = plan::Parse(plan->text).plan.spread;
  alone = spread <= 1;
  if (alone) return "";
  return fmt::format(
      "by version {} of its plan {} is spread over {} partitions, and the log of one holds only a "
      "part of its series; a recording can be played by `plan backtest --data`",
      plan->version, service, spread);
}

}  // namespace

bool RefuseReads(Session& session, const rehearse::Backtest& backtest, const std::string& service,
                 int& code) {
  if (backtest.reads().empty()) return false;
  code = session.Fail(InvalidError(fmt::format(
      "the plan reads series of {}, and the log that is played is that of {} alone; a recording of "
      "all can be played by `plan backtest --data`",
      fmt::join(backtest.reads(), " and "), service)));
  return true;
}

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
             const std::function<void(const engine::RecordView&, const TimeMap&)>& take,
             rehearse::LogSpan& span, int& code) {
  // Before the first connection: its threads must not get the signals.
  const std::unique_ptr<Interrupt> interrupt = session.world().interrupts();
  const std::optional<kafka::ClientConfig> config = KafkaOf(session, source.kafka);
  code = kExitUsage;
  if (!config) return false;
  const auto fail = [&](const Error& error) {
    code = session.Fail(error);
    return false;
  };
  auto ports = session.world().open_kafka(*config, session.timeout());
  if (!ports.ok()) return fail(ports.error());
  LogQuery query;
  query.service = service;
  if (source.from_ms) query.from = InstantFromMs(*source.from_ms);
  if (source.to_ms) query.to = InstantFromMs(*source.to_ms);
  query.last = source.last;
  auto log = PartitionLog::Open(std::move(*ports), query, session.timeout());
  if (!log.ok()) return fail(log.error());
  ProgressLine progress(session.world());
  bool interrupted = false;
  bool alone = false;
  for (std::uint64_t read = 0; !interrupted; ++read) {
    const auto record = log->Next();
    if (!record.ok()) return fail(record.error());
    if (*record == nullptr) break;
    if (const std::string fault = SpreadFault(**record, service, alone); !fault.empty()) {
      return fail(InvalidError(fault));
    }
    take(**record, log->time_map());
    if (read % kLookEvery != 0) continue;
    progress.Show(service, log->part());
    interrupted = interrupt->WaitFor(Duration(0));
  }
  span = log->span();
  span.interrupted = interrupted;
  if (span.records > span.unreadable) return true;
  return fail(NotFoundError(fmt::format("the log of {} has no record that can be read", service)));
}

}  // namespace liveops::ctl
