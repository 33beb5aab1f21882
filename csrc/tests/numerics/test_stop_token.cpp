#include <chrono>
#include <thread>

#include "check.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/stop_token.hpp"

namespace kpm {

namespace {

using Clock = StopToken::Clock;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

}  // namespace

TEST(a_token_asks_seldom_before_the_deadline_and_at_once_after_it) {
  int asked = 0;
  const Clock::time_point deadline = Clock::now() + milliseconds(5);
  StopToken token(
      [&] {
        ++asked;
        return Clock::now() < deadline;
      },
      nullptr, deadline);
  while (!token.poll()) {
    CHECK(asked == 0);  // twenty milliseconds have not passed
  }
  CHECK(asked == 1);
  CHECK(Clock::now() >= deadline);
  CHECK(token.stopped());
}

TEST(a_deadline_that_has_passed_stops_at_the_first_look) {
  StopToken token([] { return false; }, nullptr, Clock::now());
  CHECK(!token.stopped());
  CHECK(token.poll());
}

TEST(renewed_after_a_deadline_a_token_has_no_time_and_after_another_stop_it_has) {
  StopToken late([] { return false; }, nullptr, Clock::now());
  CHECK(late.poll());
  late.renew();
  CHECK(!late.stopped());
  CHECK(late.poll());

  StopToken interrupted([] { return false; }, nullptr, Clock::now() + hours(1));
  interrupted.stop();
  interrupted.renew();
  CHECK(!interrupted.poll());
}

TEST(a_part_leaves_the_next_one_what_it_needs_and_half_of_the_rest_at_most) {
  const Clock::time_point deadline = Clock::now() + hours(1);
  StopToken token([] { return true; }, nullptr, deadline);
  CHECK(token.until() == deadline);
  token.leave(minutes(20), minutes(5));
  CHECK(token.until() == deadline - minutes(25));
  token.leave(minutes(20), minutes(30));
  CHECK(token.until() >= deadline - minutes(40) && token.until() < deadline - minutes(39));
  token.leave(hours(2), minutes(5));  // more than there is
  CHECK(token.until() == deadline - hours(2));
  token.renew(true);
  CHECK(token.until() == deadline);
  StopToken endless([] { return true; });
  endless.leave(hours(1), hours(1));
  CHECK(!endless.timed() && endless.until() == Clock::time_point::max());
}

TEST(a_part_stops_at_its_own_end_and_the_next_one_has_what_is_left) {
  const Clock::time_point deadline = Clock::now() + milliseconds(50);
  StopToken* part = nullptr;
  StopToken token([&] { return Clock::now() < part->until(); }, nullptr, deadline);
  part = &token;
  token.leave(milliseconds(40), milliseconds(0));
  while (!token.poll()) {
  }
  CHECK(Clock::now() >= deadline - milliseconds(40));
  token.renew(true);
  CHECK(token.poll(1e9));  // a step that takes longer than what is left is not begun
  token.renew(true);
  while (!token.poll()) {
  }
  CHECK(Clock::now() >= deadline);
}

TEST(a_token_has_seen_the_time_of_its_last_poll) {
  StopToken token([] { return true; });
  const Clock::time_point before = token.seen();
  std::this_thread::sleep_for(milliseconds(1));
  CHECK(token.seen() == before);
  token.poll();
  const Clock::time_point after = token.seen();
  CHECK(after > before);
  CHECK(token.now() >= after);
  CHECK(token.seen() >= after);
}

TEST(a_checkpoint_polls_once_its_operations_are_done) {
  int asked = 0;
  StopToken token(
      [&] {
        ++asked;
        return false;
      },
      nullptr, Clock::now() - hours(1));
  Checkpoint checkpoint(token);
  const double grain = token.grain();
  CHECK(grain < StopToken([] { return true; }).grain());  // with no time, less is done
  CHECK(!checkpoint.stops(grain));
  CHECK(asked == 0);
  CHECK(checkpoint.stops(1.0));
  CHECK(asked == 1);
  CHECK(!checkpoint.stops(0.5 * grain));
  bool abandoned = false;
  try {
    checkpoint.pass(grain);
  } catch (const Abandoned&) {
    abandoned = true;
  }
  CHECK(abandoned);
}

TEST(before_a_deadline_a_token_still_asks_every_twenty_milliseconds) {
  bool wanted = true;
  StopToken token([&] { return wanted; }, nullptr, Clock::now() + hours(1));
  wanted = false;
  CHECK(!token.poll());
  std::this_thread::sleep_for(milliseconds(21));
  CHECK(token.poll());
}

}  // namespace kpm
