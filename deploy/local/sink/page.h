#pragma once

namespace liveops::sink {

// The web page: one HTML document without outside parts.
extern const char kPage[];

}  // namespace liveops::sink
