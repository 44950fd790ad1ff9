#include "services/liveopsctl/progress.h"

#include <fmt/format.h>

#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {

void ProgressLine::Show(const std::string& what, double part) {
  const int percent = static_cast<int>(part * 100);
  if (!world_.err_terminal || percent == shown_) return;
  shown_ = percent;
  world_.err << fmt::format("\r\x1b[K{} {} %", Printable(what), percent) << std::flush;
}

void ProgressLine::Clear() {
  if (shown_ >= 0) world_.err << "\r\x1b[K" << std::flush;
  shown_ = -1;
}

}  // namespace liveops::ctl
