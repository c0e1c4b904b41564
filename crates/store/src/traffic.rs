//! How many requests went to Microsoft, and how many it refused for their number.
//!
//! Owns the sums by hour. Never judges them. Several nodes add to the same sums. Kept for two days.

use jiff::Timestamp;

use crate::{
    Result, Store,
    connection::{FromRow, Row, params, records},
    facade::MAX_CONFIGURED,
    records::Traffic,
};

const HOUR_SECONDS: i64 = 60 * 60;
const KEPT_HOURS: i64 = 48;

fn hour(time: Timestamp) -> i64 {
    time.as_second().div_euclid(HOUR_SECONDS)
}

impl Store {
    /// Adds to the sums of this hour.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn add_traffic(&self, counts: &[Traffic], now: Timestamp) -> Result<()> {
        let counts = counts.to_vec();
        self.write(move |c| {
            Box::pin(async move {
                let hour = hour(now);
                for count in &counts {
                    let sql = "INSERT INTO traffic (hour, graph_user, requests, throttled) VALUES ($1, $2, $3, $4) \
                        ON CONFLICT (hour, graph_user) DO UPDATE SET requests = traffic.requests + excluded.requests, \
                        throttled = traffic.throttled + excluded.throttled";
                    c.execute(sql, params![hour, count.graph_user, count.requests, count.throttled])
                        .await?;
                }
                c.execute("DELETE FROM traffic WHERE hour < $1", params![hour - KEPT_HOURS])
                    .await
                    .map(drop)
            })
        })
        .await
    }

    /// The sums of the hour in which `since` lies and of those after it, the largest first.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn traffic(&self, since: Timestamp) -> Result<Vec<Traffic>> {
        self.read(move |c| {
            Box::pin(async move {
                let sql = format!(
                    "SELECT graph_user, CAST(sum(requests) AS BIGINT), CAST(sum(throttled) AS BIGINT) FROM traffic \
                     WHERE hour >= $1 GROUP BY graph_user ORDER BY 3 DESC, 2 DESC, 1 LIMIT {MAX_CONFIGURED}"
                );
                records(c.query(&sql, params![hour(since)]).await?)
            })
        })
        .await
    }
}

impl FromRow for Traffic {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            graph_user: row.take()?,
            requests: row.take()?,
            throttled: row.take()?,
        })
    }
}
