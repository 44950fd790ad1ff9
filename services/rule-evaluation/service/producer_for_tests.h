#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/kafka.h"

namespace liveops::evaluation {

// Keeps what is produced; the test answers when it likes.
class FakeProducer final : public kafka::Producer {
 public:
  struct Sent {
    std::string topic, key, value;
    std::int32_t partition = 0;
    std::vector<kafka::Header> headers;
    Delivered done;
  };
  void Produce(std::string_view topic, std::int32_t partition, std::string_view key,
               std::string value, const std::vector<kafka::Header>& headers,
               Delivered done) override {
    sent.push_back(
        {std::string(topic), std::string(key), std::string(value), partition, headers, done});
  }
  bool Flush(Duration) override { return true; }
  bool connected() const override { return true; }
  std::size_t queued_bytes() const override { return 0; }

  std::vector<Sent> sent;
};

}  // namespace liveops::evaluation
