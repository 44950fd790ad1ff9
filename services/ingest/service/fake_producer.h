#pragma once

#include <mutex>
#include <vector>

#include "common/kafka/kafka.h"

// For the tests of this folder.
namespace liveops::ingest {

// Keeps what it is given; answers at once, or when told to.
class FakeProducer final : public kafka::Producer {
 public:
  enum class Mode { kAnswer, kHold, kFail, kRefuse };  // kRefuse: for good
  struct Sent {
    std::string topic;
    std::int32_t partition;
    std::string key;
    std::string value;
    std::vector<kafka::Header> headers;
    Delivered done;
  };

  void Produce(std::string_view topic, std::int32_t partition, std::string_view key,
               std::string value, const std::vector<kafka::Header>& headers,
               Delivered done) override {
    Sent record{std::string(topic), partition, std::string(key),
                std::string(value), headers,   std::move(done)};
    Mode now;
    {
      const std::lock_guard lock(mutex);
      now = mode;
      sent.push_back(record);
    }
    if (now == Mode::kRefuse) return record.done(InvalidError("the record is too large"));
    if (now != Mode::kHold) Answer(record, now == Mode::kAnswer);
  }
  void Answer(const Sent& record, bool ok) {
    if (ok) {
      record.done(kafka::Delivery{1, append_time});
    } else {
      record.done(UnavailableError("the broker is away"));
    }
  }
  // Answers all that are held.
  void Release(bool ok) {
    std::vector<Sent> held;
    {
      const std::lock_guard lock(mutex);
      held = sent;
    }
    for (const Sent& record : held) Answer(record, ok);
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return sent.size();
  }
  bool Flush(Duration) override { return true; }
  bool connected() const override { return is_connected; }
  std::size_t queued_bytes() const override { return 0; }

  std::mutex mutex;
  Mode mode = Mode::kAnswer;
  bool is_connected = true;
  RealTime append_time = RealFromMs(1'770'000'000'000);
  std::vector<Sent> sent;
};

}  // namespace liveops::ingest
