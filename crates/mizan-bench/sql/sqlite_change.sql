UPDATE balances SET posted = posted + ?2, version = version + 1 WHERE account_id = ?1
