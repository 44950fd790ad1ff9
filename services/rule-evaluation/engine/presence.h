#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/time.h"

namespace liveops::engine {

// Does silence mean anything? Only while every ingest instance that lives says, tick by tick, that
// samples could have come. After a refusal, while an instance is lost (until its goodbye, its
// return, or 2 min) and after a gap in the log, absence proves nothing. In real time; pure.
class Presence {
 public:
  static constexpr Duration kLostAfter{2000};
  static constexpr Duration kDoubtLasts{120'000};

  void OnTick(RealTime now, std::string_view instance, std::uint64_t session, bool accepting,
              bool goodbye);
  // The clock went on. Gives the instances that are given up.
  std::vector<std::string> OnClock(RealTime now);
  // Nothing was recorded for a while: doubt until `awaited` series have reported again, or 2 min.
  void OnGap(RealTime now, std::uint64_t awaited);
  void OnSeriesBack();

  std::uint64_t gap() const { return gap_; }  // counts gaps, so that a series is counted once
  bool in_gap() const { return gap_open_; }
  bool in_doubt(RealTime now) const;

  // Silence since `from` is proof of absence.
  bool Proves(RealTime from) const { return ticked_ && doubted_ <= from; }

  RealTime doubted() const { return doubted_; }  // the last moment that proves nothing
  bool ticked() const { return ticked_; }

  void Write(ByteWriter& out) const;
  bool Read(ByteReader& in);

 private:
  struct Instance {
    std::uint64_t session = 0;
    RealTime last_tick{};
    bool accepting = true;
  };

  std::map<std::string, Instance, std::less<>> instances_;
  RealTime doubted_{};  // the last moment at which there was a doubt
  RealTime gap_until_{};
  std::uint64_t gap_ = 0;
  std::uint64_t awaited_ = 0;
  bool gap_open_ = false;
  bool ticked_ = false;
};

}  // namespace liveops::engine
