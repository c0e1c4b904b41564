-- How many requests each mailbox cost in an hour, and how many of them Microsoft refused for their number.
CREATE TABLE traffic (
    hour       BIGINT NOT NULL,
    graph_user TEXT NOT NULL,
    requests   BIGINT NOT NULL,
    throttled  BIGINT NOT NULL,
    PRIMARY KEY (hour, graph_user)
);
