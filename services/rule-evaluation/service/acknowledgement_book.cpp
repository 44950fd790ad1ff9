#include "services/rule-evaluation/service/acknowledgement_book.h"

#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/operations.pb.h"

namespace liveops::evaluation {

Status AcknowledgementBook::Read(const kafka::Record& record) {
  v1::OperationRecord operation;
  if (!operation.ParseFromString(record.value)) return InvalidError("not an OperationRecord");
  if (!operation.has_acknowledgement()) return {};
  const v1::Acknowledgement& ack = operation.acknowledgement();
  if (ack.alarm_id().empty() || ack.episode_ms() <= 0) {
    return InvalidError("an acknowledgement without an alarm id or an episode");
  }
  const std::lock_guard lock(mutex_);
  Entry& newest = newest_[ack.alarm_id()];
  if (ack.episode_ms() > newest.episode_ms) newest = {ack.episode_ms(), ack.by()};
  return {};
}

void AcknowledgementBook::Fill(v1::AlarmStatus& status) const {
  status.clear_acknowledged_by();
  const std::lock_guard lock(mutex_);
  const auto it = newest_.find(status.alarm_id());
  if (it == newest_.end() || it->second.episode_ms != status.episode_ms()) return;
  status.set_acknowledged_by(it->second.by);
}

}  // namespace liveops::evaluation
