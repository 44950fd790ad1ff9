#include "services/rule-evaluation/app.h"

#include <grpcpp/impl/codegen/service_type.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "common/config/config.h"
#include "common/kafka/kafka.h"
#include "common/redis/redis.h"
#include "common/rpc/server.h"
#include "common/runtime/metrics_endpoint.h"
#include "common/runtime/ownership.h"
#include "common/runtime/process.h"
#include "common/runtime/service_main.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "services/rule-evaluation/codec/alarm_codec.h"
#include "services/rule-evaluation/service/acknowledgement_book.h"
#include "services/rule-evaluation/service/alarm_directory.h"
#include "services/rule-evaluation/service/alarm_table.h"
#include "services/rule-evaluation/service/evaluation_loop.h"
#include "services/rule-evaluation/service/grpc_services.h"
#include "services/rule-evaluation/service/hindsight.h"
#include "services/rule-evaluation/service/log_follower.h"
#include "services/rule-evaluation/service/plan_applier.h"
#include "services/rule-evaluation/service/plan_library.h"
#include "services/rule-evaluation/service/redis_snapshot_port.h"
#include "services/rule-evaluation/service/status_board.h"
#include "services/rule-evaluation/service/takeover.h"

namespace liveops::evaluation {
namespace {

constexpr Duration kKafkaTimeout{5'000};
constexpr Duration kReadyPeriod{100};
constexpr Duration kGrace{2'000};
// What is followed is not waited for, and pages leave by the same broker meanwhile.
constexpr kafka::Gather kFollowGather{Duration(100), 1 << 20};

// Reads the library of plans to its end once, and then follows it.
Status OpenLibrary(LogFollower& follower, PlanLibrary& library) {
  const auto read = [&library](const kafka::Record& record) {
    if (Status s = library.Read(record); !s.ok()) {
      log::Warn("plan_record_unreadable",
                {{"offset", record.offset}, {"error", s.error().message}});
    }
  };
  std::int64_t next = kafka::kOffsetBeginning;
  {
    const LogFollower::Borrowed reader(follower);
    if (Status s = runtime::ReadToEnd(*reader, runtime::topic::kPlans, 0, kafka::kOffsetBeginning,
                                      kKafkaTimeout,
                                      [&](const kafka::Record& record) {
                                        read(record);
                                        next = record.offset + 1;
                                      });
        !s.ok()) {
      return s;
    }
  }
  library.SetComplete();
  follower.Follow(runtime::topic::kPlans, 0, next,
                  [read](kafka::Record&& record) { read(record); });
  return {};
}

// Nothing waits for these: an answer given meanwhile only lacks the names. From offset 0, because
// operations.v1 is kept for good and "the beginning" would cost the broker a question a partition.
void FollowAcknowledgements(LogFollower& follower, std::int32_t partitions,
                            AcknowledgementBook& book) {
  const auto read = [&book](kafka::Record&& record) {
    if (Status s = book.Read(record); !s.ok()) {
      log::Warn("operation_record_unreadable",
                {{"partition", static_cast<std::int64_t>(record.partition)},
                 {"offset", record.offset},
                 {"error", s.error().message}});
    }
  };
  for (std::int32_t p = 0; p < partitions; ++p) {
    follower.Follow(runtime::topic::kOperations, p, 0, read);
  }
}

// Waits for the stop, and says ready as soon as the loop is.
Status WaitUntilStop(runtime::StopSignal& stop, const std::atomic<bool>& ended,
                     const StatusBoard& board, rpc::Server& server, int metrics_port,
                     const std::string& port_file) {
  bool ready = false;
  while (!ended && !stop.WaitFor(kReadyPeriod * (ready ? 5 : 1))) {
    if (ready || !board.Get().ready()) continue;
    ready = true;
    server.SetServing(true);
    if (Status s = runtime::WritePortFile(
            port_file,
            {.grpc = server.port(), .grpc_plain = server.plain_port(), .metrics = metrics_port});
        !s.ok()) {
      return s;
    }
    log::Info("ready", {{"port", server.port()}, {"metrics_port", metrics_port}});
  }
  if (ended && !stop.requested()) return InternalError("the evaluation loop ended");
  return {};
}

}  // namespace

Result<AppConfig> ReadConfig(const std::string& path) {
  Result<config::Reader> opened = config::Reader::Open(path);
  if (!opened.ok()) return opened.error();
  config::Reader& reader = *opened;
  AppConfig c;
  c.common = runtime::ReadCommonConfig(reader, "rule-evaluation");
  c.redis.host = reader.String("redis.host", c.redis.host);
  const std::int64_t port = reader.Integer("redis.port", c.redis.port);
  if (port < 1 || port > 65'535) reader.Problem("redis.port", "must be between 1 and 65535");
  c.redis.port = static_cast<int>(port);
  c.redis.password = reader.String("redis.password");
  c.replay_budget = reader.Time("snapshot.replay_budget", c.replay_budget);
  if (c.replay_budget < Duration(100) || c.replay_budget > Duration(60'000)) {
    reader.Problem("snapshot.replay_budget", "must be between 100ms and 1min");
  }
  if (Status s = reader.Finish(); !s.ok()) return s.error();
  return c;
}

Status Run(const AppConfig& config, runtime::StopSignal& stop) {
  const runtime::CommonConfig& common = config.common;
  const SteadyTime started = std::chrono::steady_clock::now();
  runtime::Writer writer(common.instance, runtime::NewSession());
  redis::Client table_redis(config.redis);   // the alarm table's thread
  redis::Client reader_redis(config.redis);  // questions
  auto producer = kafka::Producer::Create(common.kafka);
  if (!producer.ok()) return producer.error();
  auto consumer = kafka::AssignedConsumer::Create(common.kafka, kFollowGather);
  if (!consumer.ok()) return consumer.error();
  auto reader = kafka::AssignedConsumer::Create(common.kafka);
  if (!reader.ok()) return reader.error();

  AcknowledgementBook acknowledgements;
  LogFollower follower(std::move(*consumer), std::move(*reader));
  PlanLibrary library;
  StatusBoard board;
  RedisSnapshotPort snapshot_port(table_redis);
  SnapshotStore snapshots(snapshot_port);
  AlarmTable table(table_redis, snapshots);
  AlarmDirectory directory(reader_redis, common.topics.partitions);
  PlanApplier applier(**producer, writer, library, common.topics.partitions);
  HindsightConfig hindsight_config;
  hindsight_config.partitions = common.topics.partitions;
  kafka::ClientConfig hindsight_kafka = common.kafka;
  hindsight_kafka.on_fatal = nullptr;  // a question that fails stops nobody
  Hindsight hindsight(hindsight_config,
                      [&] { return kafka::AssignedConsumer::Create(hindsight_kafka); });
  std::atomic<bool> stopping{false};
  std::atomic<bool> kafka_found{false};
  std::atomic<double> speed{1.0};

  const auto alarms = MakeAlarmsService(directory, acknowledgements, hindsight, stopping);
  const auto plans = MakePlansService(applier, library);
  const runtime::Describe describe = MakeDescribe(
      {common.instance, runtime::Version(), [&] { return speed.load(); }, started, &board,
       [&] { return kafka_found && (*producer)->connected() && follower.connected(); },
       [&] { return reader_redis.Run({"PING"}).ok(); }});
  const auto status = MakeStatusService(describe);
  auto server = rpc::Server::Start(common.grpc, {alarms.get(), plans.get(), status.get()});
  if (!server.ok()) return server.error();
  auto endpoint = runtime::MetricsEndpoint::Start(common, describe);
  if (!endpoint.ok()) return endpoint.error();

  runtime::CleanupStack cleanup;
  cleanup.Push("producer", [&] { (void)(*producer)->Flush(kGrace); });
  cleanup.Push("plan follower", [&] { follower.Stop(); });
  cleanup.Push("alarm table", [&] { table.Stop(); });
  cleanup.Push("grpc server", [&] {
    stopping = true;
    (*server)->Stop(kGrace);
    if (*endpoint) (*endpoint)->Stop();
  });

  TimeMap time_map;
  Status established = runtime::RetryUntilStop(stop, "Kafka", [&]() -> Status {
    auto map = runtime::EstablishTopics(common.kafka, common.topics, kKafkaTimeout);
    if (!map.ok()) return map.error();
    time_map = *map;
    return {};
  });
  if (established.ok()) {
    speed = time_map.speed;
    hindsight.Open(time_map);
    kafka_found = true;
    established = runtime::RetryUntilStop(stop, "the library of plans",
                                          [&] { return OpenLibrary(follower, library); });
  }
  if (!established.ok()) {
    return stop.requested() ? Status() : established;
  }
  FollowAcknowledgements(follower, common.topics.partitions, acknowledgements);
  follower.Start();
  table.Start();

  TakeoverConfig takeover_config;
  takeover_config.instance = common.instance;
  takeover_config.time_map = time_map;
  takeover_config.partitions = common.topics.partitions;
  Takeovers takeovers(takeover_config, **producer, writer, snapshots);
  LoopConfig loop_config;
  loop_config.kafka = common.kafka;
  loop_config.instance = common.instance;
  loop_config.partitions = common.topics.partitions;
  loop_config.replay_budget = config.replay_budget;
  const OwnerPorts ports{**producer,      writer,
                         table,           std::make_shared<Mailbox>(),
                         common.instance, takeovers.installation()};
  EvaluationLoop loop(loop_config, takeovers, ports, follower, library, board);
  std::atomic<bool> loop_ended{false};
  Status outcome;
  std::thread loop_thread([&] {
    outcome = loop.Run(stopping);
    loop_ended = true;
  });
  cleanup.Push("evaluation loop", [&] {
    (*server)->SetServing(false);
    stopping = true;
    loop_thread.join();
  });

  const Status waited = WaitUntilStop(stop, loop_ended, board, **server, runtime::PortOf(*endpoint),
                                      common.port_file);
  cleanup.RunAll();
  return outcome.ok() ? waited : outcome;
}

}  // namespace liveops::evaluation
