package release

import "time"

// Date is a day, written as year-month-day: 2027-01-31.
type Date string

// Ends is the first moment after the day, in UTC; ok is false of what is no
// date.
func (d Date) Ends() (moment time.Time, ok bool) {
	day, err := time.Parse(time.DateOnly, string(d))
	return day.AddDate(0, 0, 1), err == nil
}
