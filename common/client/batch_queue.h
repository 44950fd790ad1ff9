#pragma once

#include <cstdint>
#include <deque>
#include <vector>

// Inside this folder.
namespace liveops::client {

struct Point {
  std::uint32_t series = 0;
  double value = 0;
  std::int64_t time_ms = 0;
  std::uint64_t covered_ms = 0;
};

struct Batch {
  std::uint64_t sequence = 0;
  std::vector<Point> points;
};

// The batches of one session, from their first point to their answer: which is the next to go over
// the present stream, and what is given up where there is no room. No clock, no thread, no network.
class BatchQueue {
 public:
  struct Limits {
    std::size_t batch_points = 1'000;
    std::size_t waiting_points = 200'000;
    std::size_t in_flight = 16;
  };
  explicit BatchQueue(const Limits& limits) : limits_(limits) {}

  // True: a batch became full. Of waiting batches the oldest that is not on its way is given up
  // when there is no room.
  bool Add(const Point& point);
  // Closes the batch that is being filled, so that it may go.
  void Close();

  // The next to go over the stream, or nullptr: nothing waits, or too much is on its way. It stands
  // until the next call of a function that is not const.
  const Batch* Next();
  void Answered(std::uint64_t sequence);
  // There is a new stream: whatever was not answered goes over it again.
  void Restart();
  // The server refused a batch for good, and ended the stream without saying which. If one alone
  // was on its way it is that, and is dropped: returns how many points it had. Else 0: those that
  // were on their way go one at a time from now on, so that the next refusal tells.
  std::size_t Refused();

  std::size_t waiting_points() const { return waiting_points_ + open_.points.size(); }
  std::uint64_t given_up() const { return given_up_; }
  bool idle() const { return batches_.empty() && open_.points.empty(); }
  // The sequence below which all is answered or given up.
  std::uint64_t settled() const {
    return batches_.empty() ? sequence_ + 1 : batches_.front().sequence;
  }
  std::uint64_t last_sequence() const { return sequence_; }

 private:
  void Drop(std::size_t index);
  void MakeRoom();

  const Limits limits_;
  std::deque<Batch> batches_;  // the first `sent_` of them went over the stream
  std::size_t sent_ = 0;
  Batch open_;
  std::uint64_t sequence_ = 0;
  std::size_t waiting_points_ = 0;  // of batches_
  std::uint64_t given_up_ = 0;
  std::uint64_t careful_until_ = 0;  // up to this sequence one goes at a time
};

}  // namespace liveops::client
