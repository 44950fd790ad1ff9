#include <sys/resource.h>

#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "common/base/hash.h"
#include "common/rpc/server.h"
#include "liveops/v1/alarms.grpc.pb.h"
#include "services/rule-evaluation/codec/explain.h"
#include "services/rule-evaluation/service/grpc_services.h"
#include "services/rule-evaluation/service/past_answer.h"

namespace liveops::evaluation {
namespace {

constexpr auto kWatchPeriod = std::chrono::milliseconds(500);
constexpr auto kStopPeriod = std::chrono::milliseconds(50);
constexpr Duration kShared{400};
constexpr int kWatchersMax = 32;
constexpr int kReplayNice = 10;  // of that thread alone, as Linux has it

bool Open(v1::AlarmState state) {
  return state == v1::ALARM_STATE_FIRING || state == v1::ALARM_STATE_NO_DATA ||
         state == v1::ALARM_STATE_STALE || state == v1::ALARM_STATE_PENDING;
}

// What a watcher would want to hear of; a moving clock alone is no change.
std::uint64_t HashOf(v1::AlarmStatus status) {
  status.clear_clock_ms();
  status.clear_watermark_ms();
  return Xxh64(status.SerializeAsString());
}

class AlarmsService final : public v1::Alarms::Service {
 public:
  AlarmsService(AlarmDirectory& directory, const AcknowledgementBook& acknowledgements,
                Hindsight& hindsight, const std::atomic<bool>& stopping)
      : directory_(directory),
        acknowledgements_(acknowledgements),
        hindsight_(hindsight),
        stopping_(stopping) {}

  grpc::Status ListAlarms(grpc::ServerContext*, const v1::ListAlarmsRequest* request,
                          v1::ListAlarmsResponse* response) override {
    const auto all = directory_.All();
    if (!all.ok()) return rpc::ToGrpc(all.error());
    for (const auto& [alarm, bytes] : *all) {
      v1::AlarmStatus status;
      if (!Read(bytes, status)) return Damaged(alarm);
      if (!request->service().empty() && status.service() != request->service()) continue;
      if (status.state() == v1::ALARM_STATE_BLIND) response->add_blind(alarm);
      if (request->open_only() && !Open(status.state())) continue;
      *response->add_alarms() = std::move(status);
    }
    return grpc::Status::OK;
  }

  grpc::Status ExplainAlarm(grpc::ServerContext*, const v1::ExplainAlarmRequest* request,
                            v1::ExplainAlarmResponse* response) override {
    const auto bytes = directory_.One(request->alarm_id());
    if (!bytes.ok()) return rpc::ToGrpc(bytes.error());
    if (!Read(*bytes, *response->mutable_alarm())) return Damaged(request->alarm_id());
    for (std::string& line : ExplainLines(response->alarm())) {
      response->add_lines(std::move(line));
    }
    return grpc::Status::OK;
  }

  grpc::Status ExplainAlarmAt(grpc::ServerContext* context,
                              const v1::ExplainAlarmAtRequest* request,
                              grpc::ServerWriter<v1::ExplainAlarmAtResponse>* writer) override {
    std::optional<Result<PastAlarm>> past;
    // On a thread of its own, because that one yields to those that judge and page.
    std::thread replay([&] {
      (void)setpriority(PRIO_PROCESS, 0, kReplayNice);
      past =
          hindsight_.Look(request->alarm_id(), InstantFromMs(request->at_ms()),
                          [&](std::uint64_t done, std::uint64_t all) {
                            v1::ExplainAlarmAtResponse response;
                            response.mutable_progress()->set_records(done);
                            response.mutable_progress()->set_records_all(all);
                            return !stopping_ && !context->IsCancelled() && writer->Write(response);
                          });
    });
    replay.join();
    if (!past->ok()) return rpc::ToGrpc(past->error());
    v1::ExplainAlarmAtResponse response;
    FillPast(**past, *response.mutable_answer());
    writer->Write(response);
    return grpc::Status::OK;
  }

  grpc::Status WatchAlarms(grpc::ServerContext* context, const v1::WatchAlarmsRequest* request,
                           grpc::ServerWriter<v1::WatchAlarmsResponse>* writer) override {
    struct Place {
      std::atomic<int>& count;
      ~Place() { --count; }
    };
    if (++watchers_ > kWatchersMax) {
      --watchers_;
      return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watch already");
    }
    const Place place{watchers_};
    std::map<std::string, std::uint64_t> told;
    for (bool first = true; !stopping_ && !context->IsCancelled(); first = false) {
      const auto all = directory_.All(kShared);
      if (!all.ok()) return rpc::ToGrpc(all.error());
      for (const auto& [alarm, bytes] : *all) {
        v1::WatchAlarmsResponse response;
        if (!Read(bytes, *response.mutable_alarm())) return Damaged(alarm);
        if (!request->service().empty() && response.alarm().service() != request->service()) {
          continue;
        }
        const std::uint64_t hash = HashOf(response.alarm());
        const auto [it, fresh] = told.emplace(alarm, hash);
        if (!fresh && it->second == hash) continue;
        it->second = hash;
        if (first && !Open(response.alarm().state())) continue;
        if (!writer->Write(response)) return grpc::Status::OK;  // the watcher has gone
      }
      const auto next = std::chrono::steady_clock::now() + kWatchPeriod;
      while (!stopping_ && !context->IsCancelled() && std::chrono::steady_clock::now() < next) {
        std::this_thread::sleep_for(kStopPeriod);
      }
    }
    if (stopping_) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server stops");
    return grpc::Status::OK;
  }

 private:
  // The stored status, and who took it on.
  bool Read(const std::string& bytes, v1::AlarmStatus& status) const {
    if (!status.ParseFromString(bytes)) return false;
    acknowledgements_.Fill(status);
    return true;
  }

  static grpc::Status Damaged(const std::string& alarm) {
    return rpc::ToGrpc(InternalError("the stored state of " + alarm + " cannot be read"));
  }

  AlarmDirectory& directory_;
  const AcknowledgementBook& acknowledgements_;
  Hindsight& hindsight_;
  const std::atomic<bool>& stopping_;
  std::atomic<int> watchers_{0};
};

}  // namespace

std::shared_ptr<grpc::Service> MakeAlarmsService(AlarmDirectory& directory,
                                                 const AcknowledgementBook& acknowledgements,
                                                 Hindsight& hindsight,
                                                 const std::atomic<bool>& stopping) {
  return std::make_shared<AlarmsService>(directory, acknowledgements, hindsight, stopping);
}

}  // namespace liveops::evaluation
