-- Members who work for whoever runs the platform.
CREATE TABLE operators (
    member_id text COLLATE "C" PRIMARY KEY,
    role      text NOT NULL,
    added_at  bigint NOT NULL
);
