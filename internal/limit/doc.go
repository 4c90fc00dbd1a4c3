// Package limit bounds how often a source may do something, on this node alone and in fixed memory (R37).
//
// It owns the table of buckets, the prefixes by which a source is counted, and what happens when there are more sources
// than slots. It does not own the arithmetic (store.Rate), the counters that nodes share, limits per account, or what is
// limited to how much.
//
// # What a source is
//
// An IPv4 address is counted by itself and, at 16 times the rate, by its /24. An IPv6 address is counted by its /64 and, at
// 8 and 64 times the rate, by its /56 and /48, so that addresses within a prefix are no supply of fresh buckets. All levels
// must have room; when one has none, nothing is taken from any.
//
// # When the table is full
//
// Slots are grouped in sets of eight. A new source takes the slot of its set whose bucket is the fullest: one that is full
// again and means nothing any more, if there is one, else the one with the smallest debt. That debt is not forgotten: the
// set keeps the largest debt that it ever dropped, and whoever is new in the set starts with it. So the table errs in one
// direction only. A source that was dropped is never allowed more than it would be in a table without end; flooding the
// table with other sources resets nothing. And while more sources are in debt than there are slots, a source that did
// nothing wrong may be allowed less: the newcomers of one set then share a bucket, in effect. Debts are kept apart by the
// length of the window (Burst × Every), so that a flood of requests with a long window (sign-in) does not cost those with
// a short one more than four times their own window.
//
// Refused requests change nothing, so nobody can push others out by being refused.
//
// Two sources whose 64-bit keyed hashes are equal share a bucket: again stricter, never looser. The key is random in each
// process.
package limit
