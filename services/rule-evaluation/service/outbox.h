#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace liveops::evaluation {

// What one shard's owner has written to its log and may not forget yet. An item stays until it was
// acknowledged *and* read back from the log with no newer claim before it (or acknowledged, where a
// claim has nothing to say); until then it can be
// written again, under a new claim if need be. Nothing is ever dropped, and what is written again
// is written in the order of Push (readers drop repetitions by episode and step). Not thread-safe;
// the answers of `send` come back by the calls below, later.
class Outbox {
 public:
  struct Item {
    std::uint64_t id = 0;
    std::uint32_t attempt = 0;  // an answer to an older attempt says nothing about this one
    std::string key;
    std::string value;
    std::string traceparent;
    std::int32_t partition = -1;  // of another log than the owner's own; -1 = that one
  };
  using Send = std::function<void(const Item&)>;

  explicit Outbox(Send send) : send_(std::move(send)) {}

  // Sends at once, unless an earlier item still waits to be sent again.
  void Push(std::string key, std::string value, std::string traceparent,
            std::int32_t partition = -1);

  void Acknowledged(std::uint64_t id, std::uint32_t attempt, std::int64_t offset);
  // It stands, whoever claims what.
  void Acknowledged(std::uint64_t id, std::uint32_t attempt) { Acknowledged(id, attempt, -1); }
  void Failed(std::uint64_t id, std::uint32_t attempt);

  // Everything of this owner up to `offset` was read back as valid.
  void ReadBack(std::int64_t offset);

  // Sends what failed and all behind it again, once nothing is on its way any more. False when
  // there was nothing to do.
  bool Retry();
  // Under a new claim: what is not read back counts as never written.
  void SendAllAgain();

  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  std::size_t on_its_way() const { return on_its_way_; }
  bool failing() const { return failing_; }

 private:
  enum class State { kWaiting, kOnItsWay, kAcknowledged };
  struct Entry {
    Item item;
    State state = State::kWaiting;
    std::int64_t offset = -1;
  };

  Entry* Find(std::uint64_t id);
  void SendEntry(Entry& entry);
  void DropConfirmed();

  Send send_;
  std::deque<Entry> items_;  // by ascending id
  std::uint64_t next_id_ = 1;
  std::size_t on_its_way_ = 0;
  bool failing_ = false;
  std::int64_t read_back_ = -1;
};

}  // namespace liveops::evaluation
